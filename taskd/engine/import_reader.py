"""The child that reads an import: what is large, and of others, costs the daemon no time.

daemon                                child: python -m taskd.engine.import_reader FILE STORE WHO
the text of an export    ────►        checks each line and sets it aside, in FILE
                         ◄────        at the end, or at what is wrong: {"count": 1000}, or
                                      {"error": "line 7: it is no record of a task", "hint": ""}
"""

import contextlib
import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from taskd import wire
from taskd.logs.parts import read_part
from taskd.model.errors import InvalidInput, ProtocolError
from taskd.store.arrivals import MAX_OWN_ID, Arrival, read
from taskd.store.staging import LogPart, Staging

PART = 256 * 1024  # bytes
MAX_LINE = 64 << 20  # bytes
MAX_PLACE = 1 << 62  # byte of a log


class Reader:
    """Sets aside what `who` brings into the store `own`. Raises InvalidInput."""

    def __init__(self, staging: Staging, own: str, who: str) -> None:
        self._staging = staging
        self._own = own
        self._who = who
        self._began = datetime.now(UTC)
        self._open: list[bytes] = []  # parts of a line that has not ended
        self._line = 0  # how many have

    def read(self, file: BinaryIO) -> int:
        """How many tasks there are."""
        while data := file.read(PART):
            self._feed(data)
        if any(self._open):
            self._feed(b"\n")
        return self._staging.sort()

    def _feed(self, data: bytes) -> None:
        *whole, rest = data.split(b"\n")
        if whole:
            whole[0] = b"".join([*self._open, whole[0]])
            self._open = []
        self._open.append(rest)
        arrivals: list[Arrival] = []
        logs: list[LogPart] = []
        for line in whole:
            self._line += 1
            try:
                if line.strip():  # else files were put together
                    self._read(line, arrivals, logs)
            except InvalidInput as error:
                raise InvalidInput(f"line {self._line}: {error.message}") from None
        if sum(map(len, self._open)) > MAX_LINE:
            raise InvalidInput(f"line {self._line + 1} is too long: this is no export")
        self._staging.add(arrivals, logs)

    def _read(self, line: bytes, arrivals: list[Arrival], logs: list[LogPart]) -> None:
        try:
            arrival = read(line, self._own, self._who, self._began)
        except InvalidInput as error:
            logs.append(_piece_of_a_log(line, error))
        else:
            arrivals.append(arrival)
            logs += [_log_part(arrival.id, name, text) for name, text in arrival.logs.items()]


def _piece_of_a_log(line: bytes, refusal: InvalidInput) -> LogPart:
    """What a line has that is no record, for the reason that `refusal` says."""
    try:
        found = wire.loads(line)
    except ProtocolError:
        raise refusal from None
    if not isinstance(found, dict) or "id" not in found:
        raise InvalidInput("it is no record of a task")
    if "log" not in found:
        raise refusal
    return _log_part(*map(found.get, ("id", "log", "text", "at")))


def _log_part(task_id: Any, name: Any, text: Any, at: Any = 0) -> LogPart:
    numbers = type(task_id) is int and type(at) is int
    if not (numbers and 0 < task_id <= MAX_OWN_ID and 0 <= at <= MAX_PLACE):
        raise InvalidInput("it is no part of a log")
    return LogPart(task_id, name, at, read_part(name, text))


def main(path: str, own: str, who: str) -> dict[str, Any]:
    """Its answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the daemon
    try:
        staging = Staging.make(Path(path))
        return {"count": Reader(staging, own, who).read(sys.stdin.buffer)}
    except InvalidInput as error:
        return {"error": error.message, "hint": error.hint}


if __name__ == "__main__":
    answer = json.dumps(main(*sys.argv[1:])).encode()
    with contextlib.suppress(BrokenPipeError):  # the daemon has ended
        os.write(sys.stdout.fileno(), answer)
