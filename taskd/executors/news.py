"""What a step says of its progress: passed on now and then, the last word before its outcome."""

import time
from collections.abc import Callable

from taskd.executors.base import Progress

SECONDS = 0.1  # between two words, however often a step reports


class News:
    def __init__(self, tell: Callable[[Progress], object]) -> None:
        self._tell = tell
        self._word: Progress | None = None
        self._next = 0.0

    def take(self, fraction: float, note: str) -> None:
        self._word = Progress(fraction, note)
        if time.monotonic() >= self._next:
            self.end()
            self._next = time.monotonic() + SECONDS

    def end(self) -> None:
        """Say what was not said yet."""
        if self._word:
            self._tell(self._word)
            self._word = None
