"""The log of one call, made when something is written to it."""

import contextlib
import os
import threading

from taskd.executors.base import Call
from taskd.logs.writer import LogWriter


class StepLog:
    """From any thread. It never raises; what comes after `close` is dropped."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._writer: LogWriter | None = None
        self._closed = False

    def write(self, stream: str, data: bytes) -> None:
        with self._lock:
            if not self._closed:
                self._opened().write(stream, data)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._writer:
                self._writer.close()

    def _opened(self) -> LogWriter:
        if self._writer is None:
            call = self._call
            with contextlib.suppress(OSError):  # then the writer cannot open it, and says so
                os.makedirs(os.path.dirname(call.log), mode=0o700, exist_ok=True)
            self._writer = LogWriter(call.log, call.log_limit, call.secrets)
        return self._writer
