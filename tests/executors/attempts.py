"""Attempts of commands for tests: build a call, begin it, wait for its outcome."""

import os
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from taskd.executors.attempt import begin, examine
from taskd.executors.base import Call, CallKind, Outcome
from taskd.model.definition import Command


def a_call(folder: Path, line: str = "", **changes: Any) -> Call:
    command = changes.pop("command", None) or Command(line=line)
    fields: dict[str, Any] = {
        "id": 7, "task_id": 42, "task_name": "t", "user": "ana", "label": "backup.site",
        "kind": CallKind.STEP, "step": "dump", "attempt": 1, "module": "", "name": "",
        "revision": "", "input": {}, "outputs": {}, "kept": None,
        "log": str(folder / "logs" / "1-dump.log"), "log_limit": 64 << 20, "timeout": None,
        "cancel_grace": 5.0, "command": command,
    }  # fmt: skip
    return Call(**(fields | changes))


def start(folder: Path, line: str = "", **changes: Any) -> subprocess.Popen[bytes]:
    return begin(folder / "attempt", a_call(folder, line, **changes))


def run(folder: Path, line: str = "", **changes: Any) -> Outcome:
    """The outcome of a command that was run to its end."""
    start(folder, line, **changes).wait(20)
    outcome = examine(folder / "attempt")
    assert isinstance(outcome, Outcome), (folder / "attempt" / "trouble").read_text()
    return outcome


def log_of(folder: Path) -> list[str]:
    """Stream, tag and text of each line."""
    data = (folder / "logs" / "1-dump.log").read_text(errors="backslashreplace")
    return [line.partition(" ")[2] for line in data.split("\n")[:-1]]


def wait_for(ready: Callable[[], object], seconds: float = 10.0) -> None:
    """For what gives no event to wait on."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not happen in time"
        select.select([], [], [], 0.005)


def gone(pid: int) -> bool:
    """Ended; what nobody has waited for yet counts as ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def pid_in(path: Path) -> int:
    """The pid that a command wrote to a file, as soon as it has."""
    wait_for(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


def open_descriptors(pid: int) -> list[str]:
    return sorted(os.listdir(f"/proc/{pid}/fd"))
