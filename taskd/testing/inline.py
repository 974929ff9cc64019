"""The engine of a test: all of a daemon's rules, in memory and in the calling thread."""

import os
import shutil
import tempfile
import uuid
import weakref
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast, overload

from taskd.actions.action import Action
from taskd.actions.outcome import Request, as_request
from taskd.actions.types import plain
from taskd.api import tasks as api
from taskd.api.access import Caller
from taskd.api.logs import files_of
from taskd.engine.director import Director
from taskd.engine.engine import Engine
from taskd.engine.starting import Starter
from taskd.executors.pool import Pool
from taskd.logs import reader
from taskd.model.interval import parse_interval
from taskd.model.log import LogLine
from taskd.model.step import JSON
from taskd.model.task import Task
from taskd.places import Places
from taskd.settings import Settings
from taskd.store import steps
from taskd.store import tasks as store
from taskd.store.database import Database, InMemory
from taskd.store.transaction import Transaction
from taskd.testing.clock import Clock
from taskd.testing.imported import Imported
from taskd.testing.in_turn import InTurn

T = TypeVar("T")
_YOU = Caller(os.geteuid(), "you", os.getpid())


class Inline:
    """An engine with a store of its own. It runs tasks until nothing more happens by itself.

    It knows what is imported. To be handed over are only YAML files, each as a `Path`, actions that
    subscribe to others, and what shall take the place of another action of its label.

    Time stands still but for `advance`, and for the delays of retries, which pass by themselves
    unless `retries_wait`. Steps run one at a time, in this process: what a test has patched is
    patched for them. A `timeout` ends commands of YAML only.
    """

    def __init__(self, *actions: Callable[..., Any] | Path, retries_wait: bool = False) -> None:
        places = _places()
        self._retries_wait = retries_wait
        self._clock = Clock()
        self._database = InMemory()
        self._catalog = Imported()
        starter = Starter(self._catalog, Settings(), places)
        director = Director(self._clock, self._database, starter, self._clock.read)
        self._executor = InTurn(director.report, self._catalog.find, places.attempts)
        director.pool = self._executor
        pool = cast(Pool, self._executor)  # all that commands of the API do with it is `cancel`
        self._engine = Engine(places, self._clock, self._database, starter, pool, director)
        weakref.finalize(self, _clean_up, self._database, places.state)
        for action in actions:
            self._catalog.add(action)

    @overload
    def run(self, action: Action | Request, /) -> Task: ...

    @overload
    def run(self, action: str | Path | Callable[..., Any], /, **input: JSON) -> Task: ...

    def run(self, action: Any, /, **input: JSON) -> Task:
        """Start a task, and run it as far as it goes.

        `action` is an instance; or a class, an `@action` function, a label or a YAML file, with its
        input. Raises InvalidInput and NotFound.
        """
        wanted = self._request(action, input)
        started = self._do(lambda tx: api.start(tx, self._engine, _YOU, wanted.label, wanted.input))
        return self.get(started["id"])

    def resume(self, task: Task | int) -> Task:
        """Resume a paused task from the step that failed. Raises InvalidState."""
        self._do(lambda tx: api.resume(tx, self._engine, _YOU, _id(task)))
        return self.get(task)

    def skip(self, task: Task | int, *steps: str) -> Task:
        """Go on without failed steps of a paused task: all, or those named. Raises InvalidState
        and NotFound."""
        self._do(lambda tx: api.skip(tx, self._engine, _YOU, _id(task), list(steps) or None))
        return self.get(task)

    def cancel(self, task: Task | int) -> Task:
        """Cancel a task and its sub-tasks. Raises InvalidState.

        A step may do so itself, to see what it does when `self.task.cancelled` becomes true.
        """
        self._do(lambda tx: api.cancel(tx, self._engine, _YOU, _id(task)))
        return self.get(task)

    def advance(self, time: float | str) -> None:
        """Let seconds, or as much as in `"10m"`, pass: what falls due meanwhile happens in turn."""
        end = self.now + parse_interval(time)
        while self._clock.ring(end):
            self._settle()
        self._clock.now = max(self.now, end)

    @property
    def now(self) -> datetime:
        """The time for tasks. What the code of a step finds by `datetime.now()` is not moved."""
        return self._clock.now

    def get(self, task: Task | int) -> Task:
        """The task as it is now. Raises NotFound."""
        with self._database.snapshot() as snapshot:
            return api.get(snapshot, _YOU, _id(task))

    @property
    def tasks(self) -> list[Task]:
        """All there are, sub-tasks included, oldest first."""
        with self._database.snapshot() as snapshot:
            return list(map(self.get, range(1, store.last_id(snapshot) + 1)))

    def children(self, task: Task | int) -> list[Task]:
        """The sub-tasks of a task, oldest first."""
        return [each for each in self.tasks if each.parent_task_id == _id(task)]

    def logs(self, task: Task | int) -> list[LogLine]:
        """What its steps printed."""
        files = files_of(self._engine, self.get(task))
        return reader.read(files, max_bytes=self._engine.settings.log_limit).lines

    def _request(self, action: Any, input: dict[str, JSON]) -> Request:
        if isinstance(action, Action):
            self._catalog.add(type(action))
        if isinstance(action, Action | Request):
            return as_request(action)
        label = action if isinstance(action, str) else self._catalog.add(action)
        return Request(label, {name: plain(value) for name, value in input.items()})

    def _do(self, change: Callable[[Transaction], T]) -> T:
        """Make a change, with all that follows. Raises what it raised."""
        answers: list[tuple[Any, BaseException | None]] = []
        self._engine.director.put(change, lambda *answer: answers.append(answer))
        self._settle()
        ((value, error),) = answers
        if error:
            raise error
        return cast(T, value)

    def _settle(self) -> None:
        while self._go_on():
            pass

    def _go_on(self) -> bool:
        """Do the next thing; False when nothing more happens by itself."""
        self._engine.director.serve()
        return self._executor.work() or self._clock.ring(self._patience())

    def _patience(self) -> datetime:
        """Until when time passes by itself."""
        retry = None if self._retries_wait else steps.next_retry(self._database.writer)
        return retry or self.now


def _id(task: Task | int) -> int:
    return task if isinstance(task, int) else task.id


def _places() -> Places:
    """For secrets, logs and commands. The folder is made when there is something for it."""
    state = Path(tempfile.gettempdir(), f"taskd-{uuid.uuid4().hex}")
    return Places(state / "taskd.yaml", state / "actions", state, state / "taskd.sock")


def _clean_up(database: Database, folder: Path) -> None:
    database.close()
    shutil.rmtree(folder, ignore_errors=True)
