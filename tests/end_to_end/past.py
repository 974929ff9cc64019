"""Tasks that have been: made by a real daemon, or written by hand as a record."""

import contextlib
import gzip
import io
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from real_daemon import Daemon

from taskctl.main import main

HOSTILE = (
    "<script>document.title='taken'</script>\"'><img src=x onerror=\"document.title='taken'\">"
)
ACTION = """
from taskd import Action, step, concurrence, sequence, exclusive

class BackUp(Action, label="backup.site", rescue="fail"):
    site: str
    ledger: str

    def title(self):
        return f"Back up {self.site}"

    def locks(self):
        return [exclusive(f"site:{self.site}", "backup")]

    def plan(self):
        return sequence("dump", concurrence("archive", "photos"), "copy")

    @step
    def dump(self):
        print("dumping", self.site)
        return {"bytes": 1234567, "share": 0.1}

    @step
    def archive(self):
        print("<script>document.title='taken'</script>")

    @step
    def photos(self):
        pass

    @step
    def copy(self):
        if self.site == "shop":
            raise OSError(28, "no space left", "<b>/mnt</b>")
"""


def make(daemon: Daemon) -> None:
    """Five tasks that have stopped, each in its way. The daemon is started."""
    daemon.write_action("backup.py", ACTION)
    daemon.start()
    made = [daemon.start_action("backup.site", f"site={site}") for site in ("blog", "shop")]
    odd = "printf '\\\\377 no text\\n'; echo \\033[31m >&2; exit 3"
    made.append(
        daemon.start_task("exec", "--name", HOSTILE, "--rescue", "fail", "--key", "k", "--", odd)
    )
    made.append(daemon.start_task("exec", "--link", "site:blog", "--", "echo done"))
    daemon.wait(*made)
    made.append(daemon.start_task("exec", "--at", "tomorrow", "--", "true"))
    assert daemon.taskctl("cancel", made[-1]).returncode == 0


def taskctl(daemon: Daemon, *words: object) -> subprocess.CompletedProcess[str]:
    """The command in this process, which is quicker."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        code = main(["--socket", str(daemon.socket), *map(str, words)])
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def export(daemon: Daemon, form: str = "jsonl", *words: object) -> bytes:
    """What `export` writes of all tasks."""
    file = daemon.root / f"export.{form}"
    done = taskctl(
        daemon, "export", "--search", "id > 0", "--format", form, "--file", file, "--force", *words
    )
    assert done.returncode == 0, done.stderr
    return file.read_bytes()


def a_record(**changes: Any) -> dict[str, Any]:
    """Of a task of another store that has stopped, an hour ago."""
    begun = datetime.now(UTC) - timedelta(hours=1)
    times = dict.fromkeys(("created_at", "start_at", "started_at", "ended_at"), begun.isoformat())
    return {
        "store": "elsewhere",
        "id": 1,
        "label": "demo",
        "name": "Demo",
        "state": "stopped",
        "result": "success",
        "user": "ana",
        "uid": 1000,
        "execution_type": "immediate",
        "type": "python",
        "priority": 0,
        "state_updated_at": begun.isoformat(),
        "progress": 1.0,
        "input": {},
        "on_conflict": "pause",
        "wanted_locks": [],
        "needed_help": False,
        "cancelling": False,
        "resumable": False,
        **times,
        **changes,
    }


def a_step(**changes: Any) -> dict[str, Any]:
    return {
        "name": "work",
        "kind": "run",
        "state": "success",
        "number": 1,
        "needs": [],
        "weight": 1.0,
        "progress": 1.0,
        "note": "",
        "attempts": 1,
        "interruptions": 0,
        **changes,
    }


def write(path: Path, *records: dict[str, Any]) -> Path:
    text = "".join(json.dumps(record) + "\n" for record in records).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def bring(daemon: Daemon, *records: dict[str, Any]) -> None:
    """Import them."""
    done = taskctl(daemon, "import", write(daemon.root / "past.jsonl", *records))
    assert done.returncode == 0, done.stderr
