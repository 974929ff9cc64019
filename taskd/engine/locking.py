"""Who gets a lock, who waits for it, and in which order.

Those who wait stand in lines, one for each resource, by priority and age. One who waits for more
than is free keeps those behind him from overtaking; so nobody waits for ever. Two do not line up:

- a task that does not wait takes what is free;
- a sub-task of which an ancestor holds locks (*kin*) minds only who holds what it wants: what was
  begun is finished first. Else it could stand behind somebody who waits for that ancestor.

So only holders can make a circle: `circle` finds it when it would close. A release is followed by
`serve` in the same transaction, so that at no commit anybody waits who need not.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from taskd.engine.family import ancestors
from taskd.model.lock import Lock
from taskd.model.record import replace
from taskd.model.task import Task
from taskd.store import locks, waiting
from taskd.store.transaction import Transaction
from taskd.store.waiting import Kin


@dataclass(frozen=True)
class Conflict:
    """Why a task cannot have `lock`: tasks hold it, or else one comes before it.

    `circle`: those of `holders` that wait for a task above this one, the topmost of which is `top`.
    """

    lock: Lock
    holders: tuple[int, ...]
    before: int | None = None
    circle: tuple[int, ...] = ()
    top: int | None = None

    def __str__(self) -> str:
        names = ", ".join(f"task {task_id}" for task_id in self.holders)
        return f"{self.lock} is locked by {names}" if names else f"{self.lock}: task {self.before}"


class Wanted:
    """What a task is to lock and to refer to, once each; what an ancestor holds becomes a link."""

    def __init__(self, tx: Transaction, task: Task, wanted: Iterable[Lock]) -> None:
        self._tx = tx
        self._task = task
        self._above = list(ancestors(tx, task)) if task.parent_task_id else []
        self._theirs = [lock for ancestor in self._above for lock in ancestor.locks]
        self._all = dict.fromkeys(map(self._needed, wanted))

    def _needed(self, lock: Lock) -> Lock:
        if any(held.covers(lock) for held in self._theirs):
            return Lock(lock.resource, exclusive=False)
        return lock

    @property
    def locks(self) -> tuple[Lock, ...]:
        return tuple(lock for lock in self._all if lock.exclusive)

    def conflict(self, *, in_line: bool = False) -> Conflict | None:
        """What stands against it. `in_line`: it does not go past those who wait before it."""
        conflicts = list(islice(self._conflicts(), None if self._theirs else 1))
        if conflicts:
            return next((each for each in conflicts if each.circle), conflicts[0])
        for lock in self.locks if in_line and not self._theirs else ():
            before = waiting.nearest_before(self._tx.connection, self._place, lock)
            if before is not None:
                return Conflict(lock, (), before)
        return None

    def _conflicts(self) -> Iterator[Conflict]:
        for lock in self.locks:
            if holders := self._holders(lock):
                top = self._above[-1].id if self._above else None
                yield Conflict(lock, holders, circle=self._circle(holders), top=top)

    def take(self) -> Task:
        """All of it, at once. There is no conflict."""
        if self._all:
            locks.take(self._tx.write(), self._task.id, self._all, self._tx.now)
        return replace(self._task, locks=self.locks)

    def wait(self) -> None:
        """In line for all of it."""
        waiting.join(
            self._tx.write(),
            self._place,
            [(lock, self._kin(lock)) for lock in self.locks],
            self._tx.now,
        )

    @property
    def _place(self) -> waiting.Place:
        return -self._task.priority, self._task.id

    def _kin(self, lock: Lock) -> Kin:
        if not lock.operation and any(lock.resource == held.resource for held in self._theirs):
            return Kin.SAME
        return Kin.YES if self._theirs else Kin.NO

    def _holders(self, lock: Lock) -> tuple[int, ...]:
        found = locks.holders(self._tx.connection, lock)
        own = {self._task.id, *(ancestor.id for ancestor in self._above)} if found else ()
        return tuple(holder for holder in found if holder not in own)

    def _circle(self, holders: tuple[int, ...]) -> tuple[int, ...]:
        if not self._theirs:
            return ()
        waiting_for_us = _dependents(self._tx, self._above)
        return tuple(holder for holder in holders if holder in waiting_for_us)


def _dependents(tx: Transaction, tasks: Iterable[Task]) -> set[int]:
    """Those that cannot end before one of `tasks` has: sub-tasks of them wait for its locks."""
    found: set[int] = set()
    rest = list(tasks)
    for task in rest:  # it grows meanwhile
        waiters = {i for lock in task.locks for i in waiting.kin(tx.connection, lock)}
        for waiter in {tx.get(i).parent_task_id: i for i in waiters}.values():  # one a family
            family = list(ancestors(tx, tx.get(waiter)))
            if all(each.id != task.id for each in family):
                rest += [each for each in family if each.id not in found]
                found.update(each.id for each in family)
    return found


def serve(tx: Transaction, attempt: Callable[[int], bool]) -> bool:
    """Offer what was released to those who wait. Whether somebody took it.

    `attempt` says whether a task goes on. Not within a change.
    """
    news = False
    while tx.released:
        released, tx.released = tx.released, []
        for lock in _one_a_resource(released):
            news |= _serve_line(tx, lock, attempt)
    return news


def _one_a_resource(locks: Iterable[Lock]) -> Iterable[Lock]:
    """Where there are several, one for all operations: who comes first in line is served first."""
    found: dict[str, Lock] = {}
    for lock in locks:
        if found.setdefault(lock.resource, lock) != lock:
            found[lock.resource] = Lock(lock.resource)
    return found.values()


def _serve_line(tx: Transaction, released: Lock, attempt: Callable[[int], bool]) -> bool:
    place = waiting.FRONT
    passed: set[str] = set()
    news = False
    while waiter := waiting.next_in_line(tx.connection, released, place, passed):
        place = waiter.place
        if not waiter.free or not attempt(waiter.task_id):
            passed.add(waiter.operation)
        elif waiter.operation in ("", released.operation):
            return True  # nothing of it is left
        else:
            news = True
    return news
