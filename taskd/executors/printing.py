"""What a step prints where several run in one process: told apart by their threads.

Not told apart is what goes to descriptors 1 and 2 past `sys.stdout` and `sys.stderr`, and what is
printed by threads that the step starts itself: both are the process's own.
"""

import contextlib
import io
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, TextIO

from taskd.executors.step_log import StepLog

_STREAMS = ("stdout", "stderr")
_of_thread: ContextVar[dict[str, io.TextIOWrapper] | None] = ContextVar("streams", default=None)


@contextlib.contextmanager
def printing_to(log: StepLog) -> Iterator[None]:
    """What this thread prints meanwhile is in `log`, which is closed at the end."""
    for name in _STREAMS:
        if not isinstance(getattr(sys, name), _Switch):
            setattr(sys, name, _Switch(name, getattr(sys, name)))
    mine = {name: _open(log, name) for name in _STREAMS}
    before = _of_thread.set(mine)
    try:
        yield
    finally:
        _of_thread.reset(before)
        log.close()


class _Switch:
    """Stands for `sys.stdout` or `sys.stderr`: that of the step in this thread, else `others`."""

    def __init__(self, name: str, others: TextIO) -> None:
        self._name = name
        self._others = others

    def __getattr__(self, attribute: str) -> object:
        mine = _of_thread.get()
        return getattr(mine[self._name] if mine else self._others, attribute)


class _ToLog(io.BufferedIOBase):
    def __init__(self, log: StepLog, stream: str) -> None:
        self.name = f"<{stream}>"
        self._log = log
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        text = bytes(data)
        self._log.write(self._stream, text)
        return len(text)


def _open(log: StepLog, stream: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        _ToLog(log, stream), encoding="utf-8", errors="backslashreplace", write_through=True
    )
