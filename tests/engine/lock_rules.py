"""What the rules say of locks, asked of pictures of the store: plainly, by trying everything.

A picture is what a commit has left. What each task asks for is known from elsewhere, so nothing
that the engine works out is believed.
"""

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from taskd.model.lock import Lock
from taskd.store import claims

Locks = frozenset[Lock]
NONE: Locks = frozenset()


def clash(ones: Iterable[Lock], others: Iterable[Lock]) -> bool:
    """Whether two tasks may not hold these at the same time. An empty operation stands for all."""
    return any(
        one.resource == other.resource
        and (one.operation == other.operation or "" in (one.operation, other.operation))
        for one, other in itertools.product(ones, others)
    )


@dataclass(frozen=True, repr=False)
class Seen:
    """A task, as the store has it. `shown`: behind whom it is said to wait, for each lock."""

    id: int
    label: str
    state: str
    parent: int | None
    priority: int
    on_conflict: str
    cancelling: bool
    resumable: bool
    plan: str
    error: dict[str, Any]  # of its plan
    note: str  # of its plan
    asked: Locks
    holds: Locks
    waits_for: Locks
    since: frozenset[int]
    shown: dict[Lock, tuple[int, ...]]

    def __repr__(self) -> str:
        claims = ("asked", self.asked), ("holds", self.holds), ("waits for", self.waits_for)
        told = [f"{what} {', '.join(sorted(map(str, locks)))}" for what, locks in claims if locks]
        return f"task {self.id} of {self.parent}, {self.state} ({'; '.join(told)})"

    @property
    def unfinished(self) -> bool:
        return self.state != "stopped"

    @property
    def planned(self) -> bool:
        """It is at work, or paused at it."""
        return self.unfinished and self.plan == "success"

    @property
    def told_to_end(self) -> bool:
        return self.unfinished and bool(self.cancelling or self.resumable)

    @property
    def waits(self) -> bool:
        return self.state == "planned" and self.plan == "suspended"

    @property
    def conflicted(self) -> bool:
        return self.state == "paused" and self.error.get("kind") == "lock-conflict"

    @property
    def place(self) -> tuple[int, int]:
        """In line: by priority and age."""
        return -self.priority, self.id


class Picture:
    def __init__(self, seen: Iterable[Seen] = ()) -> None:
        self.tasks = {task.id: task for task in seen}
        self.unfinished = [task for task in self.tasks.values() if task.unfinished]
        self.waiting = sorted(
            (task for task in self.unfinished if task.waits), key=lambda task: task.place
        )

    def above(self, task: Seen) -> list[Seen]:
        if task.parent is None:
            return []
        parent = self.tasks[task.parent]
        return [parent, *self.above(parent)]

    def below(self, task: Seen) -> list[Seen]:
        return [each for each in self.unfinished if each.parent == task.id]

    def wanted(self, task: Seen) -> Locks:
        """What it asks for, less what an ancestor holds already."""
        theirs = [lock for each in self.above(task) for lock in each.holds]
        return frozenset(
            lock
            for lock in task.asked
            if not any(
                held.resource == lock.resource and held.operation in ("", lock.operation)
                for held in theirs
            )
        )

    def lines_up(self, task: Seen) -> bool:
        return not any(each.holds for each in self.above(task))

    def holders(self, task: Seen, wanted: Locks) -> set[int]:
        """Who holds what stands against it: neither itself nor an ancestor."""
        own = {task.id, *(each.id for each in self.above(task))}
        return {t.id for t in self.unfinished if t.id not in own and clash(wanted, t.holds)}

    def before(self, task: Seen, wanted: Locks) -> list[int]:
        """Who waits before it for what stands against it."""
        first = [each for each in self.waiting if each.place < task.place]
        return [each.id for each in first if clash(wanted, each.waits_for)]

    def in_the_way(self, task: Seen) -> set[int]:
        """Of a task that waits."""
        wanted = self.wanted(task)
        line = self.before(task, wanted) if self.lines_up(task) else []
        return self.holders(task, wanted).union(line)

    def must_end_first(self, task: Seen) -> set[int]:
        """Before this one can."""
        return self.in_the_way(task) if task.waits else {each.id for each in self.below(task)}


def look(connection: sqlite3.Connection, asked: Callable[[int, str, int | None], Locks]) -> Picture:
    """`asked` says what a task of this id, label and parent asks for."""
    rows = connection.execute(
        "SELECT id, label, tasks.state, parent_task_id, tasks.priority, on_conflict, cancelling,"
        " resumable, steps.state, error, note FROM tasks JOIN steps ON task_id = id"
        " WHERE number = 0"
    )
    held = _by_task(connection.execute("SELECT task_id, resource, operation FROM locks"))
    line = _by_task(connection.execute("SELECT task_id, resource, operation, since FROM waiting"))
    shown = {
        (claim.task_id, Lock(claim.resource, claim.operation)): claim.behind
        for claim in claims.find(connection)
        if not claim.held
    }
    return Picture(
        Seen(
            *row[:9],
            json.loads(row[9]) if row[9] else {},
            row[10],
            asked(row[0], row[1], row[3]),
            frozenset(lock for lock, *_ in held.get(row[0], ())),
            frozenset(lock for lock, *_ in line.get(row[0], ())),
            frozenset(since for _, since in line.get(row[0], ())),
            {lock: shown[row[0], lock] for lock, _ in line.get(row[0], ())},
        )
        for row in rows.fetchall()
    )


def _by_task(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for task_id, resource, operation, *rest in rows:
        found.setdefault(task_id, []).append((Lock(resource, operation), *rest))
    return found


def check(before: Picture, after: Picture) -> None:
    """That one commit has led from a good state to a good one."""
    check_that_holders_are_at_peace(after)
    check_that_each_holds_what_it_asked_for(before, after)
    check_that_the_lines_are_those_who_wait(after)
    check_that_nobody_waits_in_vain(after)
    check_that_nobody_was_overtaken(before, after)
    check_that_there_is_no_circle(after)
    check_that_who_did_not_get_it_had_to_yield(before, after)


def check_that_holders_are_at_peace(picture: Picture) -> None:
    holders = [task for task in picture.tasks.values() if task.holds]
    for one, other in itertools.combinations(holders, 2):
        if clash(one.holds, other.holds):
            assert one in picture.above(other) or other in picture.above(one), (one, other)


def check_that_each_holds_what_it_asked_for(before: Picture, after: Picture) -> None:
    """All or nothing, from its plan to its end."""
    for task in after.tasks.values():
        known = before.tasks.get(task.id)
        if not task.planned:
            assert not task.holds, task
        elif not task.told_to_end:
            assert task.holds == after.wanted(task), (task, after.wanted(task))
        elif known and known.planned:
            assert task.holds == known.holds, (known, task)


def check_that_the_lines_are_those_who_wait(picture: Picture) -> None:
    for task in picture.tasks.values():
        assert task.waits_for == (picture.wanted(task) if task.waits else NONE), task
        assert not task.waits or task.on_conflict == "wait", task
        for lock, behind in task.shown.items():
            alone = frozenset([lock])
            nearest = picture.before(task, alone)[-1:] if picture.lines_up(task) else []
            assert {*behind} == {*picture.holders(task, alone), *nearest}, task


def check_that_nobody_waits_in_vain(picture: Picture) -> None:
    for task in picture.waiting:
        assert picture.in_the_way(task), task


def check_that_nobody_was_overtaken(before: Picture, after: Picture) -> None:
    """By one who lines up, too, while he waited."""
    for waiter in after.waiting:
        known = before.tasks.get(waiter.id)
        if not known or known.since != waiter.since:
            continue
        for task in after.unfinished:
            was = before.tasks.get(task.id)
            new = task.planned and not (was and (was.planned or not was.unfinished))
            if new and task.on_conflict == "wait" and after.lines_up(task):
                assert task.place < waiter.place or not clash(task.holds, waiter.waits_for), (
                    waiter,
                    task,
                )


def check_that_there_is_no_circle(picture: Picture) -> None:
    """Of tasks none of which can end before another one has. A paused one is in a person's hand."""
    left = {
        task.id: picture.must_end_first(task)
        for task in picture.unfinished
        if task.state != "paused"
    }
    while can_end := [task_id for task_id, first in left.items() if not first & left.keys()]:
        for task_id in can_end:
            del left[task_id]
    assert not left, {task_id: (picture.tasks[task_id], left[task_id]) for task_id in left}


def check_that_who_did_not_get_it_had_to_yield(before: Picture, after: Picture) -> None:
    for task in after.tasks.values():
        was = before.tasks.get(task.id)
        if task.plan == "cancelled" and task.note:
            assert task.on_conflict == "skip", task
        if not task.conflicted or (was and was.conflicted):
            continue
        told = task.error["detail"]
        lock = frozenset([Lock(told["resource"], told["operation"])])
        assert lock <= task.asked, task
        assert told["holders"], task
        for holder in map(after.tasks.__getitem__, told["holders"]):
            assert clash(lock, holder.asked), (task, holder)
            assert task.id != holder.id, task
            assert holder not in after.above(task), task
        assert task.on_conflict == "pause" or told["circle"], task
        for task_id in told["circle"]:
            assert _waits_for_one_above(task, task_id, before, after), task


def _waits_for_one_above(task: Seen, task_id: int, *pictures: Picture) -> bool:
    """Through others, perhaps; as it was before or after a commit, in which it may have changed."""
    found = [task_id]
    for each in found:  # it grows meanwhile
        for picture in pictures:
            if each in picture.tasks:
                first = picture.must_end_first(picture.tasks[each])
                found += [other for other in first if other not in found]
    return any(each.id in found for picture in pictures[-1:] for each in picture.above(task))
