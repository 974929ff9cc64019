"""A daemon's parts in this process: real store, loop, director and socket; only what runs steps is
scripted, by the test itself."""

import contextlib
import queue
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from taskd.api import every  # noqa: F401
from taskd.catalog.catalog import Catalog
from taskd.client import Client
from taskd.engine.creating import Order, create
from taskd.engine.director import Director
from taskd.engine.engine import Engine
from taskd.engine.starting import Starter
from taskd.engine.watchers import Watcher
from taskd.executors.base import Call, Outcome, Progress, Success
from taskd.loop import Loop
from taskd.model.definition import Definition
from taskd.model.task import Task
from taskd.places import Places
from taskd.rpc.server import Server
from taskd.settings import Settings
from taskd.store.database import Database
from taskd.store.transaction import Transaction

PATIENCE = 20.0  # seconds; far above what anything here takes


class ScriptedExecutor:
    """Takes calls; the test says how they end."""

    def __init__(self, store: Path, slots: int) -> None:
        self.slots = slots
        self.calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self.in_store: list[bool] = []  # of each call: whether it was committed when it came
        self.cancelled: queue.SimpleQueue[tuple[int, bool]] = queue.SimpleQueue()
        self.told_settled: list[int] = []
        self._store = store

    def start(self, call: Call) -> None:
        with contextlib.closing(sqlite3.connect(self._store)) as other:
            found = other.execute("SELECT 1 FROM steps WHERE call_id = ?", (call.id,)).fetchone()
        self.in_store.append(found is not None)
        self.calls.put(call)

    def cancel(self, call_id: int, *, force: bool = False) -> None:
        self.cancelled.put((call_id, force))

    def settled(self, call_ids: Iterable[int]) -> None:
        self.told_settled += call_ids


class Stage:
    def __init__(self, folder: Path, definitions: Iterable[Definition], slots: int) -> None:
        self.places = Places(folder / "taskd.yaml", folder / "actions", folder, folder / "s")
        self.database = Database(self.places.store)
        self.loop = Loop("loop")
        known = {definition.label: definition for definition in definitions}
        self.starter = Starter(Catalog(known, fingerprint=[]), Settings(), self.places)
        self.director = Director(self.loop, self.database, self.starter)
        self.executor = ScriptedExecutor(self.places.store, slots)
        self.director.pool = self.executor
        self.loop.expects_more = self.director.expects_more
        self.loop.after_round = [self.director.serve]
        pool: Any = self.executor
        self.engine = Engine(
            self.places, self.loop, self.database, self.starter, pool, self.director
        )
        self.server = Server(self.engine)
        self.server.listen(self.places.socket)
        self._clients: list[Client] = []

    def open(self) -> None:
        self.loop.start()

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.server.stop()
        self.loop.stop()
        self.database.close()

    @property
    def client(self) -> Client:
        self._clients.append(Client(self.places.socket))
        return self._clients[-1]

    # What a test does

    def create(self, tx: Transaction, label: str = "demo", **order: Any) -> Task:
        definition = self.starter.catalog.get(label)
        return create(tx, self.places, definition, {}, {}, Order(**order), "ana", 1000)

    def start(self, label: str = "demo", **order: Any) -> Task:
        return self.director.do(lambda tx: self.create(tx, label, **order))

    def together(self, *puts: Callable[[], object]) -> None:
        """What all of them put in the director's queue is one batch."""
        gate = threading.Event()
        self.loop.call(gate.wait)
        for put in puts:
            put()
        gate.set()

    def next_call(self) -> Call:
        return self.executor.calls.get(timeout=PATIENCE)

    def end(self, call: Call, outcome: Outcome | Progress | None = None) -> None:
        """By default it succeeds."""
        outcome = Success() if outcome is None else outcome
        self.loop.call(lambda: self.director.report(call.id, outcome))

    def settle(self) -> None:
        """All that the loop and the director were given so far is done, and the loop waits."""
        self._pass()
        self.director.do(lambda _tx: None)
        self._pass()

    def _pass(self) -> None:
        passed = threading.Event()
        self.loop.call(passed.set)
        assert passed.wait(PATIENCE)

    def rest(self, task_id: int) -> Task:
        """The task once it is stopped or paused."""
        answers: queue.SimpleQueue[Task] = queue.SimpleQueue()
        watcher = Watcher(task_id, None, answers.put)

        def change(tx: Transaction) -> None:
            task = tx.get(task_id)
            if watcher.is_content_with(task):
                answers.put(task)
            else:
                tx.after_commit.append(lambda: self.director.watchers.add(watcher))

        self.director.do(change)
        return answers.get(timeout=PATIENCE)


@contextlib.contextmanager
def a_stage(
    *definitions: Definition, slots: int = 4, folder: Path | None = None
) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="ts") as short:  # a socket's path has at most 107 bytes
        made = Stage(folder or Path(short), definitions, slots)
        made.open()
        try:
            yield made
        finally:
            made.close()
