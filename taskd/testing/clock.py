"""The time of a test: it stands still until it is moved."""

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from taskd.loop import Loop, Timer


class Clock(Loop):
    """What the loop is to a daemon, without a thread: it has timers, and nothing to wait for."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self._due: list[tuple[datetime, int, Timer]] = []
        self._count = itertools.count()

    def read(self) -> datetime:
        return self.now

    def wake(self) -> None:
        """Whoever has put something in a queue looks after it."""

    def later(self, seconds: float, function: Callable[[], object]) -> Timer:
        due = self.now + timedelta(seconds=seconds)
        timer = Timer(due.timestamp(), function)
        heapq.heappush(self._due, (due, next(self._count), timer))
        return timer

    def ring(self, until: datetime) -> bool:
        """Let the next timer ring that is due by `until`, at its time; False when there is none."""
        while self._due and self._due[0][0] <= until:
            due, _, timer = heapq.heappop(self._due)
            if timer.function:
                self.now = max(self.now, due)
                timer.function()
                return True
        return False
