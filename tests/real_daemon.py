"""A real daemon with a folder of its own, and the installed commands that talk to it.

ROOT/s       the state directory: configuration, actions, socket, store, logs
ROOT/ledger  what steps write down, a line each time they run
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

COMMANDS = Path(sys.executable).parent
PATIENCE = 30.0  # far above what anything here takes, even where many tests run at once


class Daemon:
    """One daemon at a time; what it and its steps leave behind is ended by `close`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / "s"
        self.socket = self.state / "taskd.sock"
        self.actions = self.state / "actions"
        self.ledger = root / "ledger"
        self.actions.mkdir(parents=True)
        self.ledger.touch()
        own = {name: text for name, text in os.environ.items() if not name.startswith("TASKD_")}
        # With the fault handler, SIGABRT makes a daemon that hangs say in its log where.
        self.environment = own | {
            "TASKD_STATE_DIR": str(self.state),
            "LANG": "C.UTF-8",
            "PYTHONFAULTHANDLER": "1",
        }

    # The commands

    def taskd(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._command("taskd", arguments)

    def taskctl(self, *arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return self._command("taskctl", [*map(str, arguments)], stdin)

    def json(self, *arguments: object) -> Any:
        """What `taskctl … -o json` prints; the command must succeed."""
        done = self.taskctl("-o", "json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def show(self, task_id: object) -> Any:
        return self.json("show", task_id)

    def start_task(self, *arguments: object) -> int:
        """The id of what `run …` or `exec …` has started."""
        command, *others = arguments
        started = self.taskctl(command, "-q", *others)
        assert started.returncode == 0, started.stderr
        return int(started.stdout)

    def start_action(self, label: str, *words: str) -> int:
        """The id of a task of `label` that is given the ledger."""
        return self.start_task("run", label, f"ledger={self.ledger}", *words)

    def wait(self, *task_ids: object) -> int:
        """The exit code of `taskctl wait`."""
        return self.taskctl("wait", *task_ids).returncode

    def task_count(self) -> int:
        return int(self.json("list")["total"])

    # The process

    @property
    def pid(self) -> int:
        return int((self.state / "lock").read_text())

    def configure(self, **settings: object) -> None:
        lines = [f"  {name}: {value}" for name, value in settings.items()]
        (self.state / "taskd.yaml").write_text("\n".join(["settings:", *lines, ""]))

    def start(self) -> None:
        started = self.taskd("start")
        assert started.returncode == 0, started.stderr + self.log()

    def kill_9(self) -> None:
        """As a crash would end it; what it started goes on."""
        handle = os.pidfd_open(self.pid)
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        assert select.select([handle], [], [], PATIENCE)[0]
        os.close(handle)

    def log(self) -> str:
        file = self.state / "taskd.log"
        return file.read_text() if file.exists() else ""

    # What is there beside it

    def write_action(self, name: str, text: str) -> Path:
        """The action file `name`. A new one each time, as editors write them."""
        file = self.actions / name
        (self.actions / f".{name}.new").write_text(text)
        (self.actions / f".{name}.new").replace(file)
        return file

    def ledger_lines(self) -> list[str]:
        return self.ledger.read_text().split()

    def processes(self) -> list[int]:
        """The daemon, its hosts and supervisors, and all that their steps have started."""
        return processes_of(self.state)

    def others(self) -> list[int]:
        """All that runs but the daemon itself."""
        return [pid for pid in self.processes() if pid != self.pid]

    def close(self) -> None:
        """End everything, whatever state it is in."""
        while found := self.processes():
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    def _command(
        self, name: str, arguments: Sequence[str], stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(COMMANDS / name), *arguments],
            env=self.environment,
            cwd=self.root,
            input=stdin,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=2 * PATIENCE,
            check=False,
        )


@contextlib.contextmanager
def a_daemon() -> Iterator[Daemon]:
    """Not started yet, so that it can be configured; it ends with the context."""
    root = Path(tempfile.mkdtemp(prefix="tk", dir="/tmp"))  # short enough for a socket
    one = Daemon(root)
    yield one
    one.close()
    shutil.rmtree(root, ignore_errors=True)


def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> Any:
    """The first value of `condition` that is true; it must become so before long."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
    return value


def peak_memory(pid: int) -> int:
    """The most that the process has had so far, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def gone(pid: int) -> bool:
    """It has ended; whether somebody has waited for it or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def processes_of(state: Path) -> list[int]:
    """A daemon, its hosts and supervisors, and all that their steps have started."""
    mark = os.fsencode(state)
    return [pid for pid, environment in _environments() if mark in environment]


def _environments() -> Iterator[tuple[int, bytes]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                yield int(entry.name), (entry / "environ").read_bytes()
