"""One transaction of the director, and what it keeps between two of them.

Records are cached, since the director alone changes them, and written once, at the end: a task that
is created, planned and begun in one commit costs one row. What a change that fails has done to
either is undone; SQL that it wrote itself, through `write`, is under a savepoint.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from taskd.model.errors import NotFound
from taskd.model.lock import Lock
from taskd.model.record import replace
from taskd.model.task import State, Task
from taskd.store import chains, deleting, lanes, locks, rows, tasks, under_way, waiting
from taskd.store.admission import admit

CACHED_TASKS = 2000
LARGE = 10_000  # characters, or values, of one field of the input


class Transaction:
    """`now` is one moment for all changes of a commit; `version` its number."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.now: datetime
        self.version: int = tasks.last_version(connection)
        self.last_id = self._last_id_before = tasks.last_id(connection)
        self._lanes = self._lanes_before = lanes.known(connection)
        self.chained = chains.exist(connection)  # some task, or there may have been one
        self._cache: OrderedDict[int, Task] = OrderedDict()
        self._begin_empty()

    def _begin_empty(self) -> None:
        self.changed: dict[int, Task] = {}
        self.after_commit: list[Callable[[], object]] = []
        self.released: list[Lock] = []  # those for which there may be somebody who waits
        self._stored: dict[int, Task | None] = {}  # the changed ones as they were in the store
        self._written: dict[int, Task] = {}  # those that were written in this transaction
        self._told: dict[int, Task] = {}  # sub-tasks that rest
        self._told_stopped: set[int] = set()
        self._keys: dict[tuple[int, str], int] = {}
        self._history: list[tuple[Any, ...]] = []
        self._history_written = 0
        self._calls = 0
        self._mark_change()

    # The transaction

    def begin(self, now: datetime, labels: Collection[str] = ()) -> None:
        """`labels` are those that have slots of their own."""
        self._last_id_before = self.last_id
        self._lanes_before = self._lanes
        self.connection.execute("BEGIN IMMEDIATE")
        self._rows_before = self.connection.total_changes
        self.now = now
        self.version += 1
        self._begin_empty()
        if self._lanes.keys() != set(labels):
            self._lanes = lanes.divide(self.connection, self._lanes, labels)

    def move_times(self, by: int) -> None:
        """The wall clock was set by so many microseconds. Before any change."""
        under_way.move(self.connection, by)
        self._cache.clear()

    def flush(self) -> None:
        """Write what has changed since the last time."""
        written = self._written
        changed = {i: task for i, task in self.changed.items() if task is not written.get(i)}
        rows.write_tasks(self.connection, self._stored | written, changed, self._lanes)
        self._written |= changed
        rows.write_history(self.connection, self._history[self._history_written :])
        self._history_written = len(self._history)

    def commit(self) -> bool:
        """Whether anything was written. Each commit that writes has its number in the store."""
        wrote = self.connection.total_changes > self._rows_before
        if wrote:
            tasks.set_version(self.connection, self.version)
        self.connection.execute("COMMIT")
        self._forget()
        return wrote

    def _forget(self) -> None:
        """What is not needed soon."""
        full = len(self._cache) > CACHED_TASKS
        for task in self.changed.values():
            waits = full and task.state is State.PLANNED  # it is served in its turn
            if task.resting or waits or _is_large(task):
                del self._cache[task.id]
        while len(self._cache) > CACHED_TASKS:
            self._cache.popitem(last=False)

    def rollback(self) -> None:
        """Nothing of it happened. Also after SQLite itself dropped the transaction."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self._cache.clear()
        self.last_id = self._last_id_before
        self._lanes = self._lanes_before
        self._begin_empty()

    # One change in it

    def begin_change(self) -> None:
        self._mark_change()

    def _mark_change(self) -> None:
        self._saved_before: dict[int, Task | None] = {}  # what this change has replaced
        self._history_before = len(self._history)
        self._effects_before = len(self.after_commit)
        self._released_before = len(self.released)
        self._id_before = self.last_id
        self._wrote = False

    def write(self) -> sqlite3.Connection:
        """For a change that writes rows itself."""
        if not self._wrote:
            self.connection.execute("SAVEPOINT change")
            self._wrote = True
        return self.connection

    def end_change(self) -> None:
        if self._wrote:
            self.connection.execute("RELEASE change")

    def undo_change(self) -> None:
        if self._wrote:
            self.connection.execute("ROLLBACK TO change")
            self.connection.execute("RELEASE change")
        self.last_id = self._id_before
        del self._history[self._history_before :], self.after_commit[self._effects_before :]
        del self.released[self._released_before :]
        for task_id, task in self._saved_before.items():
            if task is None:
                del self.changed[task_id], self._stored[task_id], self._cache[task_id]
            elif task is self._stored[task_id]:
                del self.changed[task_id], self._stored[task_id]
                self._cache[task_id] = task
            else:
                self.changed[task_id] = self._cache[task_id] = task
        self._mark_change()

    # Tasks

    def get(self, task_id: int) -> Task:
        """Raises NotFound."""
        task = self._cache.get(task_id)
        if task is None:
            task = tasks.get(self.connection, task_id)
            if not _is_large(task):
                self._cache[task_id] = task
        return task

    def find(self, task_id: int) -> Task | None:
        """None when it was deleted."""
        try:
            return self.get(task_id)
        except NotFound:
            return None

    def with_key(self, uid: int, key: str) -> int | None:
        """The task that `uid` started with this idempotency key."""
        known = self._keys.get((uid, key))
        if known in self.changed and self.changed[known].key == key:  # it was not undone
            return known
        return tasks.with_key(self.connection, uid, key)

    def add(self, task: Task) -> Task:
        """A new task; its id is given here."""
        self.last_id += 1
        self._stored[self.last_id] = None
        if task.key is not None:
            self._keys[task.uid, task.key] = self.last_id
        return self._keep(self.last_id, task, None)

    def admit(self, first: int, last: int) -> dict[int, bool]:
        """What arrives with ids from `first` to `last`, see `admission.admit`."""
        self.flush()  # new tasks have ids, too
        return admit(self.write(), first, last)

    def keep_free(self, last: int) -> int:
        """New tasks get ids above `last`, as long as this daemon runs. The last id before."""
        before = self.last_id
        self.last_id = max(before, last)
        return before

    def need_no_more(self, last: int, before: int) -> None:
        """That they were kept free is undone, unless a task was given an id above them."""
        if self.last_id == last:
            self.last_id = before

    def save(self, task: Task) -> Task:
        """A task that stops releases its locks in this transaction."""
        old = self.get(task.id)
        self._stored.setdefault(task.id, old)
        if task.finished and task.locks:
            locks.release(self.write(), task.id)
            self.released += task.locks
            task = replace(task, locks=())
        if old.waits_for_lock and not task.waits_for_lock:
            left = waiting.leave(self.write(), task.id)
            self.released += [lock for lock in left if lock not in task.locks]
        return self._keep(task.id, task, old)

    def _keep(self, task_id: int, task: Task, old: Task | None) -> Task:
        for event in task.history:
            self._history.append(rows.history_row(task_id, self.version, len(self._history), event))
        task = replace(task, id=task_id, version=self.version, history=())
        self._saved_before.setdefault(task_id, old)
        self._cache[task_id] = self.changed[task_id] = task
        return task

    def changes(self) -> Iterator[tuple[Task | None, Task]]:
        """The tasks that have changed, as they were before the transaction and as they are."""
        for task_id, task in self.changed.items():
            yield self._stored[task_id], task

    def rested_sub_tasks(self) -> list[Task]:
        """Those that were changed and rest, since this was asked last."""
        told = self._told
        found = [
            task
            for task in self.changed.values()
            if task.parent_task_id is not None and task.resting and told.get(task.id) is not task
        ]
        told.update((task.id, task) for task in found)
        return found

    def delete(self, versions: Mapping[int, int]) -> list[int]:
        """Those of the tasks that have stopped and are still as they were at these versions.

        Raises NoMatch, see `deleting`; else it is the last that a change does. It has no savepoint,
        for which SQLite would copy every page that is changed.
        """
        still = {i: version for i, version in versions.items() if i not in self.changed}
        deleted = deleting.delete(self.connection, still)
        for task_id in deleted:
            self._cache.pop(task_id, None)
        return deleted

    def chain(self, task_id: int, before: Collection[int], *, strict: bool) -> None:
        """The task waits until the others have stopped."""
        self.chained = True
        chains.add(self.write(), task_id, before, strict=strict)

    def newly_stopped(self) -> list[Task]:
        """Since this was asked last."""
        told = self._told_stopped
        found = [task for task in self.changed.values() if task.finished and task.id not in told]
        told.update(task.id for task in found)
        return found

    # The queue

    def next_call_id(self) -> int:
        """Unique in the store for ever: the commit's number and a count within it."""
        self._calls += 1
        return (self.version << 20) + self._calls

    def ready(self, room: int, free: Mapping[str, int]) -> list[tuple[int, int]]:
        """(task, step number) of the first that may start, by priority and age.

        `free` are the slots left of each label that has some of its own. Steps of changed tasks
        are not written yet, and their rows are not true any more.
        """
        written = self._written
        stale = sum(old is not None or i in written for i, old in self._stored.items())
        found = lanes.first(self.connection, lanes.COMMON, room + stale)
        for label, lane in self._lanes.items():
            if free[label] > 0:
                found += lanes.first(self.connection, lane, min(room, free[label]) + stale)
        queue = [row for row in found if row[1] not in self.changed]
        for task in self.changed.values():
            if free.get(task.label, room) > 0:
                for step in task.steps.values():
                    if step.ready:
                        queue.append((-task.priority, task.id, step.number))
        queue.sort()
        return [(task_id, number) for _, task_id, number in queue[:room]]


def _is_large(task: Task) -> bool:
    """Of many such tasks the daemon would become large, too."""
    return any(isinstance(v, str | list | dict) and len(v) > LARGE for v in task.input.values())
