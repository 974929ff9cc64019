"""Room on the disk while much is written: made in the WAL, and given back in the store's file.

in the loop:   a slice ─► commit, to the WAL │ others │ the WAL's pages ─► the file │ others │ …

Else SQLite would bring a thousand pages into the file within the commit of a slice, now and then,
and who waits for the loop would wait for both. The loop does it, never another connection
beside it: before 3.51.3 SQLite loses commits then.
"""

import logging
import math
import queue
import time
from collections.abc import Callable
from functools import partial
from typing import Self

from taskd.engine.pace import SLICE_SECONDS, Pace
from taskd.loop import Loop
from taskd.store.database import Database, Lost

log = logging.getLogger(__name__)

SECONDS = 0.03  # from one time to the next: the WAL has not become long then
MOVING_SECONDS = 0.25  # likewise, while pages are moved only
BREATH = 0.002  # seconds, in which the loop hears who came during a slice, and serves them first


class Room:
    """Who writes much within it calls `make` after each slice. For threads beside the loop."""

    def __init__(self, loop: Loop, database: Database) -> None:
        self._loop = loop
        self._database = database
        self._users = 0
        self._made = 0.0  # when last

    def __enter__(self) -> Self:
        self._made = 0.0
        self._loop.call(partial(self._count, 1))
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call(partial(self._count, -1))

    def _count(self, more: int) -> None:
        self._users += more
        self._database.checkpoint_by_itself(not self._users)

    def make(self, every: float = SECONDS) -> None:
        """In the WAL, when that long has passed since the last time."""
        time.sleep(BREATH)
        if time.monotonic() >= self._made + every:
            if self._in_loop(self._database.checkpoint) is None:
                self._leave_it_to_sqlite()
            else:
                self._made = time.monotonic()
            time.sleep(BREATH)

    def _leave_it_to_sqlite(self) -> None:
        """Until the next time: what could not be done here is not to be tried again and again."""
        self._made = math.inf
        self._loop.call(partial(self._database.checkpoint_by_itself, True))

    def give_back(self, is_over: Callable[[], bool]) -> None:
        """What the file does not use, a little at a time. What is left is for the next time."""
        pace = Pace(50, 1000)  # pages in a slice
        left: int | None = 1
        with self:
            while left and not is_over():
                with pace.kept(pace.size):
                    left = self._in_loop(partial(self._database.shrink, pace.size))
                self.make(MOVING_SECONDS)
                time.sleep(SLICE_SECONDS)  # there is no hurry
            self.make(0)  # which makes the file small

    def _in_loop(self, function: Callable[[], int]) -> int | None:
        """What it gives; None when the store cannot be written now."""
        done: queue.SimpleQueue[int | None] = queue.SimpleQueue()

        def call() -> None:
            given = None
            try:
                given = function()
            except (Lost, OSError) as error:
                log.warning("cannot make room, or give it back: %s", error)
            finally:  # whatever happens: a thread waits for it
                done.put(given)

        self._loop.call(call)
        return done.get()
