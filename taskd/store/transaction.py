"""One transaction of the director, and what it keeps between two of them.

`tasks` are cached: the director alone changes them, so what it saved last is what is stored. A
change that fails leaves neither rows nor cached records behind (`undo`).
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from taskd.model import lifecycle
from taskd.model.record import replace
from taskd.model.task import Task
from taskd.store import locks, steps, tasks

CACHED_TASKS = 2000


class Transaction:
    """`now` is one moment for all changes of a commit; `version` its number."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.now: datetime
        self.version: int = connection.execute(
            "SELECT value FROM meta WHERE name = 'version'"
        ).fetchone()[0]
        self._cache: OrderedDict[int, Task] = OrderedDict()
        self._before: dict[int, Task | None] = {}  # what the change at hand has replaced
        self._calls = 0
        self._events = 0
        self.changed: dict[int, Task] = {}  # in this transaction
        self.after_commit: list[Callable[[], object]] = []

    # The transaction

    def begin(self, now: datetime) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.now = now
        self.version += 1
        self._calls = 0
        self._events = 0
        self.changed = {}
        self.after_commit = []

    def commit(self) -> None:
        if self.changed:
            self.connection.execute(
                "UPDATE meta SET value = ? WHERE name = 'version'", (self.version,)
            )
        self.connection.execute("COMMIT")
        while len(self._cache) > CACHED_TASKS:
            self._cache.popitem(last=False)

    def rollback(self) -> None:
        """Nothing of it happened. Also after SQLite itself dropped the transaction."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self._cache.clear()
        self._before = {}

    def savepoint(self) -> None:
        self.connection.execute("SAVEPOINT change")
        self._before = {}
        self._kept_hooks = len(self.after_commit)

    def release(self) -> None:
        self.connection.execute("RELEASE change")

    def undo(self) -> None:
        """Back to the savepoint."""
        self.connection.execute("ROLLBACK TO change")
        self.connection.execute("RELEASE change")
        del self.after_commit[self._kept_hooks :]
        for task_id, task in self._before.items():
            self.changed.pop(task_id, None)
            if task is None:
                self._cache.pop(task_id, None)
            else:
                self._cache[task_id] = task

    def next_call_id(self) -> int:
        """Unique in the store for ever: the commit's number and a count within it."""
        self._calls += 1
        return (self.version << 20) + self._calls

    # Tasks

    def get(self, task_id: int) -> Task:
        """Raises NotFound."""
        task = self._cache.get(task_id)
        if task is None:
            task = self._cache[task_id] = tasks.get(self.connection, task_id)
        return task

    def add(self, task: Task) -> Task:
        """Insert a new task; its id is given by the store."""
        task = replace(task, version=self.version)
        task_id = tasks.insert(self.connection, task)
        steps.insert(self.connection, task_id, task.priority, task.steps.values())
        return self._keep(replace(task, id=task_id), None)

    def save(self, task: Task) -> Task:
        """Write what has changed. A task that stops releases its locks in this transaction."""
        old = self.get(task.id)
        task = replace(task, version=self.version, progress=lifecycle.progress(task))
        tasks.update(self.connection, task)
        self._save_steps(old, task)
        if task.finished and not old.finished:
            locks.release(self.connection, task.id)
        return self._keep(task, old)

    def _save_steps(self, old: Task, task: Task) -> None:
        for name, step in task.steps.items():
            before = old.steps.get(name)
            if before is step:
                continue
            if before is None:
                steps.insert(self.connection, task.id, task.priority, [step])
            else:
                steps.update(self.connection, task.id, step)

    def _keep(self, task: Task, old: Task | None) -> Task:
        if task.history:
            self._events += len(task.history)
            tasks.append_history(self.connection, task.id, self.version, self._events, task.history)
            task = replace(task, history=())
        self._before.setdefault(task.id, old)
        self._cache[task.id] = self.changed[task.id] = task
        return task
