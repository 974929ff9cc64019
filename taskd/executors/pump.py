"""Takes what a command prints into its log, and remembers the end of it."""

import math
import os
import select
from time import monotonic

from taskd.logs.writer import LogWriter

CHUNK = 64 * 1024
QUIET = 0.1  # seconds; a pipe that says nothing for so long has been drained
DRAIN = 1.0  # seconds; a daemon that the command left behind may hold a pipe, and talk, for ever


class LastLine:
    """The last line, finished or not, or the first `max_bytes` of it."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._line: bytes | None = None
        self._finished = True

    def feed(self, text: bytes) -> None:
        if not text:
            return
        *before, last = text.rsplit(b"\n", 2)
        if before and not last:
            last = before.pop()
        if not before and not self._finished:
            last = (self._line or b"") + last[: self._max_bytes]
        self._line = last[: self._max_bytes]
        self._finished = text.endswith(b"\n")

    def text(self) -> str | None:
        return None if self._line is None else self._line.decode("utf-8", "backslashreplace")


class Tail:
    """The last `count` lines, or as much of them as `max_bytes` hold."""

    def __init__(self, count: int, max_bytes: int) -> None:
        self._count = count
        self._max_bytes = max_bytes
        self._text = b""

    def feed(self, text: bytes) -> None:
        self._text = (self._text + text[-self._max_bytes :])[-self._max_bytes :]

    def lines(self) -> list[str]:
        lines = self._text.removesuffix(b"\n").split(b"\n") if self._text else []
        return [line.decode("utf-8", "backslashreplace") for line in lines[-self._count :]]


class Pump:
    """`wait` also ends when `wake` can be read; its bytes mean nothing else."""

    def __init__(self, log: LogWriter, wake: int) -> None:
        self.last_line = LastLine(1024 * 1024)
        self.last_errors = Tail(20, 16 * 1024)
        self._log = log
        self._wake = wake
        self._pipes: dict[int, str] = {}
        self._poll = select.poll()
        self._poll.register(wake, select.POLLIN)

    def add(self, stream: str, pipe: int) -> None:
        self._pipes[pipe] = stream
        self._poll.register(pipe, select.POLLIN)

    def wait(self, seconds: float | None) -> bool:
        """Take what there is, waiting at most `seconds` for it. False: there was nothing."""
        events = self._poll.poll(None if seconds is None else math.ceil(seconds * 1000))
        for descriptor, _ in events:
            data = os.read(descriptor, CHUNK)
            if descriptor != self._wake:
                self._take(descriptor, data)
        return bool(events)

    def drain(self) -> None:
        """Take what is still to come, without waiting for the end of the pipes."""
        end = monotonic() + DRAIN
        while self._pipes and monotonic() < end and self.wait(QUIET):
            pass
        for pipe in list(self._pipes):
            self._close(pipe)

    def _take(self, pipe: int, data: bytes) -> None:
        if data:
            self._remember(self._pipes[pipe], self._log.write(self._pipes[pipe], data))
        else:
            self._close(pipe)

    def _close(self, pipe: int) -> None:
        stream = self._pipes.pop(pipe)
        self._poll.unregister(pipe)
        os.close(pipe)
        self._remember(stream, self._log.end(stream))

    def _remember(self, stream: str, text: bytes) -> None:
        (self.last_line if stream == "stdout" else self.last_errors).feed(text)
