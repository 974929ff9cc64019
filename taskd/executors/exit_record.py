"""What the exit record of a command, and the files that it wrote, mean: an outcome."""

import json
import os
import re
import signal
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from taskd.executors.base import (
    MAX_OUTPUT,
    Cancelled,
    Failure,
    Interrupted,
    Outcome,
    Progress,
    Success,
)
from taskd.executors.shortage import is_shortage
from taskd.model.step import JSON, StepError

_PROGRESS = re.compile(r"\s*(\d{1,3}(?:\.\d+)?)\s*%?(?:\s+(.*))?")


def outcome(folder: Path) -> Outcome:
    """Of a command that has ended and left its exit record. Raises OSError in a shortage."""
    try:
        record = json.loads((folder / "exit").read_bytes())
    except (OSError, ValueError) as error:
        if is_shortage(error):
            raise
        return Interrupted(f"the record of how it ended cannot be read: {error}")
    if record.get("cancelled"):
        return Cancelled()
    if record["status"] == 0 and not record.get("timed_out"):
        return _success(folder, record)
    return Failure(_error(record))


def read_end(folder: Path) -> datetime | None:
    """When the command ended; None where it has left no record."""
    try:
        record = json.loads((folder / "exit").read_bytes())
    except (OSError, ValueError):
        return None
    return datetime.fromtimestamp(record["ended_at"], UTC)


def read_progress(folder: Path) -> Progress | None:
    """The last line that it wrote to `$TASKD_PROGRESS`: `40 copying` is 0.4, "copying"."""
    text = _read(folder / "progress", 4096, from_end=True).decode("utf-8", "replace")
    for line in reversed(text.split("\n")):
        if match := _PROGRESS.fullmatch(line):
            return Progress(min(float(match[1]) / 100, 1.0), (match[2] or "").strip())
    return None


def _success(folder: Path, record: dict[str, Any]) -> Outcome:
    data = _read(folder / "output", MAX_OUTPUT + 1)
    if len(data) > MAX_OUTPUT:
        return _bad_output("it is longer than 1 MiB")
    lines = data.decode("utf-8", "backslashreplace").splitlines()
    output: dict[str, JSON] = {}
    for number, line in enumerate(lines, 1):
        key, equals, value = line.partition("=")
        if not equals and line.strip():
            return _bad_output(f"line {number} is {line[:80]!r}, expected key=value")
        output |= {key.strip(): value} if equals else {}
    return Success(output or record["last_line"])


def _bad_output(why: str) -> Failure:
    return Failure(StepError(kind="output", message=f"cannot read $TASKD_OUTPUT: {why}"))


def _error(record: dict[str, Any]) -> StepError:
    lines: list[str] = record["stderr"]
    kind, message, detail = _reason(record)
    if kind != "start" and (last := next((line for line in reversed(lines) if line.strip()), "")):
        message += f": {last.strip()}"
    if record["log_error"]:
        lines = [*lines, f"(its log could not be written: {record['log_error']})"]
    return StepError(kind=kind, message=message, traceback="\n".join(lines), detail=detail)


def _reason(record: dict[str, Any]) -> tuple[str, str, JSON]:
    status, number = record["status"], record["signal"]
    if record.get("error"):
        return "start", record["error"], {"status": status}
    if record.get("timed_out"):
        return "timeout", f"timed out after {record['timeout']:g} s", {"timeout": record["timeout"]}
    if number:
        return "signal", f"killed by {_signal_name(number)}", {"signal": number}
    return "exit", f"exit status {status}", {"status": status}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _read(path: Path, max_bytes: int, *, from_end: bool = False) -> bytes:
    """A plain file's bytes; the command may have put anything in its place, or nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if is_shortage(error):
            raise
        return b""
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return b""
        file.seek(max(0, status.st_size - max_bytes) if from_end else 0)
        return file.read(max_bytes)
