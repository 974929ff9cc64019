"""Room on the disk while much is written: made in the WAL, and given back in the store's file.

a slice ─► commit, to the WAL          in the loop
           its pages ─► the file         in the thread of who writes much; meanwhile others go on
           what they wrote ─► the file   in the loop: little; the next commit begins the WAL anew

Else SQLite would bring a thousand pages into the file within a commit, now and then, and whoever
waits for the loop would wait for the disk, too.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Self

from taskd.engine.pace import SLICE_SECONDS, Pace
from taskd.loop import Loop
from taskd.store.database import Database, Lost

log = logging.getLogger(__name__)

SECONDS = 0.03  # from one time to the next: the WAL has not become long, for readers either
MOVING_SECONDS = 0.25  # while pages are moved only


class Room:
    """Who writes much within it calls `make` after each slice, from any thread beside the loop."""

    def __init__(self, loop: Loop, database: Database, seconds: float = SECONDS) -> None:
        self._loop = loop
        self._database = database
        self._seconds = seconds
        self._lock = threading.Lock()
        self._open = contextlib.ExitStack()
        self._due = 0.0

    def __enter__(self) -> Self:
        """Raises Lost."""
        self._bring = self._open.enter_context(self._database.checkpoints())
        self._loop.call(partial(self._database.checkpoint_by_itself, False))
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call(partial(self._database.checkpoint_by_itself, True))
        self._open.close()

    def make(self, *, at_once: bool = False) -> None:
        """In the WAL, when it is time for that."""
        with self._lock:
            if at_once or time.monotonic() > self._due:
                try:
                    self._bring()
                except Lost as error:
                    _warn(error)
                self.do(self._database.checkpoint)
                self._due = time.monotonic() + self._seconds

    def do(self, function: Callable[[], int]) -> int:
        """In the loop. What it gives, or 0 when the store cannot be written now."""
        done: queue.SimpleQueue[int] = queue.SimpleQueue()

        def call() -> None:
            try:
                done.put(function())
            except Lost as error:
                _warn(error)
                done.put(0)

        self._loop.call(call)
        return done.get()


def give_back(loop: Loop, database: Database, is_over: Callable[[], bool]) -> None:
    """What the file does not use, a little at a time. What is left is for the next time."""
    pace = Pace(50, 1000)  # pages in a slice
    left = 1
    try:
        with Room(loop, database, MOVING_SECONDS) as room:
            while left and not is_over():
                with pace.kept(pace.size):
                    left = room.do(partial(database.shrink, pace.size))
                room.make()
                time.sleep(SLICE_SECONDS)  # there is no hurry
            room.make(at_once=True)  # which makes the file small
    except Lost as error:
        _warn(error)


def _warn(error: Lost) -> None:
    log.warning("cannot make room, or give it back: %s", error)
