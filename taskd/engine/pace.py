"""How much to do at a time of what is not to be noticed by others."""

import contextlib
import time
from collections.abc import Iterator

SLICE_SECONDS = 0.012  # that a slice is to take, with its commit


class Pace:
    """How much to do in a slice, so that it takes no longer than it may."""

    def __init__(self, least: int, most: int) -> None:
        self.size = self._least = least
        self._most = most

    @contextlib.contextmanager
    def kept(self, count: int) -> Iterator[None]:
        """So much is done within."""
        begin = time.monotonic()
        yield
        fitting = int(count * SLICE_SECONDS / (time.monotonic() - begin))
        self.size = max(self._least, min(fitting, self.size + self._least, self._most))
