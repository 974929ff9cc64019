"""A stage without threads: real store, director and recovery, in the test's own thread.

What runs steps is a list of calls, of which the test says how they end. A commit can be the last
thing that a daemon does; the next one is made on the same file.
"""

import tempfile
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

from taskd.catalog.catalog import Catalog
from taskd.engine.director import Director
from taskd.engine.recovery import recover
from taskd.engine.starting import Starter
from taskd.executors.base import Call, Found, Outcome, Progress
from taskd.executors.pool import Pool
from taskd.model.definition import Definition
from taskd.places import Places
from taskd.settings import Settings
from taskd.store.database import Connection, Database
from taskd.store.transaction import Transaction
from taskd.testing.clock import Clock

TICK = timedelta(milliseconds=1)  # so that no two commits are of one moment


class Death(BaseException):
    """Of the daemon, right after a commit."""


class Calls:
    """The executor. `found` is what the next daemon finds."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.running: dict[int, Call] = {}
        self.told: set[int] = set()  # to end
        self.found = Found()

    def start(self, call: Call) -> None:
        self.running[call.id] = call

    def cancel(self, call_id: int, *, force: bool = False) -> None:  # noqa: ARG002
        self.told.add(call_id)

    def settled(self, call_ids: Iterable[int]) -> None:
        """Nothing is kept."""

    def take_up(self, calls: set[int]) -> Found:
        self.found.running &= calls
        self.running = {i: call for i, call in self.running.items() if i in self.found.running}
        return self.found


@cache
def _empty_store() -> bytes:
    """To be copied, which is faster than to make one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "taskd.db")
        Database(path).close()
        return path.read_bytes()


class Rehearsal:
    """`after_commit` is called with the store after each one."""

    def __init__(
        self,
        folder: Path,
        definitions: Iterable[Definition],
        after_commit: Callable[[Connection], object],
        slots: int = 4,
    ) -> None:
        self.places = Places(folder / "taskd.yaml", folder / "actions", folder, folder / "s")
        self.catalog = Catalog({each.label: each for each in definitions}, fingerprint=[])
        self.calls = Calls(slots)
        self.clock = Clock()
        self.dying = False  # with the next commit
        self._after_commit = after_commit
        self.places.store.write_bytes(_empty_store())
        self._open()

    def _open(self) -> None:
        self.database = Database(self.places.store)
        self.database.writer.execute("PRAGMA synchronous = OFF")  # the machine does not go down
        settings = Settings(allow_dangerous_actions=True)
        self.starter = Starter(self.catalog, settings, self.places)
        self.director = Director(self.clock, self.database, self.starter, self.clock.read)
        self.director.pool = self.calls
        self.director.after_batch = self._after_batch
        recover(self.database, self.director, cast(Pool, self.calls), self.places)

    def _after_batch(self) -> None:
        self.clock.now += TICK
        self._after_commit(self.database.writer)
        if self.dying:
            self.dying = False
            raise Death

    def close(self) -> None:
        self.database.close()

    def die(self, found: Found) -> None:
        """And be followed by another daemon, which finds of the calls what is said here."""
        self.close()
        now = self.clock.now
        self.clock = Clock()  # timers die, too
        self.clock.now = now
        self.calls.found = found
        self._open()
        self.serve()

    def put(self, change: Callable[[Transaction], object]) -> list[Any]:
        """To be done by `serve`. The list gets its answer: its value, or what it raised."""
        answers: list[Any] = []
        self.director.put(change, lambda value, error: answers.append(error or value))
        return answers

    def end(self, call: Call, outcome: Outcome | Progress) -> None:
        del self.calls.running[call.id]
        self.director.report(call.id, outcome)

    def serve(self) -> None:
        self.director.serve()

    def pass_time(self, seconds: float) -> None:
        self.serve()
        end = self.clock.now + timedelta(seconds=seconds)
        while self.clock.ring(max(end, self.clock.now)):  # to serve takes time, too
            self.serve()
        self.clock.now = max(end, self.clock.now)
