"""Recurring logics at work: what becomes of each time at which one is due.

One task of an active logic is scheduled, for its next time. When that has come, it begins, or
waits, or is moved to the time after it; and when it begins, the next one is scheduled.
"""

import itertools
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import cast

from taskd import wire
from taskd.catalog.catalog import Catalog
from taskd.cron import read_line
from taskd.engine import family, secrets
from taskd.engine.creating import Order, create
from taskd.engine.when import When
from taskd.model import lifecycle
from taskd.model import recurring as rules
from taskd.model.definition import Definition
from taskd.model.errors import InvalidState, TaskdError
from taskd.model.record import replace
from taskd.model.recurring import LogicState, Missed, Overlap, RecurringLogic
from taskd.model.step import JSON
from taskd.model.task import SYSTEM, State, Task
from taskd.model.wall import zone_of
from taskd.places import Places
from taskd.store import recurring as store
from taskd.store.transaction import Transaction

log = logging.getLogger(__name__)

LATE = timedelta(minutes=1)  # from which on a time was missed: the clock was set, or stood still
MANY = 1000  # passed times, which are not counted beyond


class Recurring:
    """`catalog` is replaced when it is read again."""

    def __init__(self, catalog: Catalog, places: Places) -> None:
        self.catalog = catalog
        self.since = datetime.max.replace(tzinfo=UTC)  # when this daemon began
        # Told of tasks that were cancelled; the director sees to what runs of them.
        self.tell_to_end: Callable[[Transaction, Iterable[Task]], object]
        # Told of runs that are skipped, each with the task that is in the way; so is the notifier.
        self.skipped: Callable[[int], object] = lambda _task_id: None
        self._places = places

    def start(
        self, tx: Transaction, logic: RecurringLogic, first: datetime, hidden: dict[str, JSON]
    ) -> RecurringLogic:
        """A new logic, with its first task. `hidden` are its secrets.

        Raises what keeps that task from being made.
        """
        logic = store.add(tx.write(), logic)
        if hidden:
            secrets.write(self._places.secrets, secrets.of_logic(logic.id), hidden)
        store.note(tx.write(), logic.id, tx.now, "created", who=logic.user)
        return self._schedule(tx, logic, first)

    def come(self, tx: Transaction, task: Task) -> None:
        """The time of its scheduled task has come."""
        logic = store.get(tx.connection, task.recurring_logic_id or 0)
        if logic.state is not LogicState.ACTIVE:
            tx.save(lifecycle.moved(task, None, tx.now))
            return
        if self.catalog.of(task) is None:
            self._fail(tx, logic, self.catalog.why_missing(task.label))
            return
        missed = task.start_at < self.since or tx.now - task.start_at > LATE
        if missed and logic.missed is Missed.SKIP:
            why = "no daemon ran then, or the clock was set"
            self._leave_out(tx, logic, task, "passed over", why)
            return
        in_the_way = [run.id for run in self._unfinished(tx, logic) if run.id != task.id]
        overlap = logic.overlap
        if missed and logic.missed is Missed.ALL and overlap is Overlap.SKIP:
            overlap = Overlap.WAIT  # or they would pass each other over
        if not in_the_way or overlap is Overlap.PARALLEL:
            self._begin(tx, logic, task)
        elif overlap is Overlap.SKIP:
            other = tx.get(in_the_way[-1])
            if self._leave_out(tx, logic, task, "skipped", f"task {other.id} is {other.state}"):
                tx.after_commit.append(partial(self.skipped, other.id))
        else:
            if overlap is Overlap.CANCEL_PREVIOUS:
                told = ", ".join(f"task {each}" for each in in_the_way)
                store.note(tx.write(), logic.id, task.start_at, "previous cancelled", told)
                self._cancel(tx, map(tx.get, in_the_way), SYSTEM)
            tx.save(lifecycle.moved(task, None, tx.now))
            tx.chain(task.id, in_the_way, strict=False)

    def begin(self, tx: Transaction, task: Task) -> None:
        """Nothing is in the way of its task any more."""
        logic = store.get(tx.connection, task.recurring_logic_id or 0)
        if logic.state is LogicState.ACTIVE:
            self._begin(tx, logic, task)

    def _begin(self, tx: Transaction, logic: RecurringLogic, task: Task) -> None:
        tx.save(lifecycle.released(task, tx.now))
        logic = rules.begun(logic, task.start_at)
        following = _next(logic, task.start_at)
        if logic.missed is not Missed.ALL and following and following <= tx.now:
            self._note_passed(tx, logic, task.start_at, "the run before them began late")
            following = _next(logic, tx.now)
        self._schedule(tx, logic, following)

    def stopped(self, tx: Transaction, task: Task) -> None:
        """One of its tasks."""
        logic = store.waiting_for(tx.connection, task)
        if logic and logic.next_occurrence:
            store.note(
                tx.write(), logic.id, task.start_at, "not run", f"task {task.id} {task.result}"
            )
            self._schedule(tx, logic, _next(logic, max(task.start_at, tx.now)))
        elif logic:
            self._finish(tx, logic)

    # What people ask for

    def disable(self, tx: Transaction, logic: RecurringLogic, who: str) -> RecurringLogic:
        """Raises InvalidState."""
        logic = store.save(tx.write(), rules.disabled(logic))
        store.note(tx.write(), logic.id, tx.now, "disabled", who=who)
        if task := self._scheduled(tx, logic):
            tx.save(lifecycle.moved(task, None, tx.now))
        return logic

    def enable(self, tx: Transaction, logic: RecurringLogic, who: str) -> RecurringLogic:
        """A time that has passed does not count any more. Raises InvalidState."""
        logic = store.save(tx.write(), rules.enabled(logic))
        store.note(tx.write(), logic.id, tx.now, "enabled", who=who)
        task = self._scheduled(tx, logic)
        if task is None:
            return self._schedule(tx, logic, _next(logic, tx.now))
        if task.start_at > tx.now:
            tx.save(lifecycle.moved(task, task.start_at, tx.now))
            return store.save(tx.write(), replace(logic, next_occurrence=task.start_at))
        return self._move(tx, logic, task)

    def cancel(self, tx: Transaction, logic: RecurringLogic, who: str) -> RecurringLogic:
        """With its tasks; one that may not be cancelled goes on. Raises InvalidState."""
        logic = store.save(tx.write(), rules.cancelled(logic))
        store.note(tx.write(), logic.id, tx.now, "cancelled", who=who)
        self._close(tx, logic)
        self._cancel(tx, self._unfinished(tx, logic), who)
        return logic

    # How it goes on

    def _schedule(
        self, tx: Transaction, logic: RecurringLogic, at: datetime | None
    ) -> RecurringLogic:
        """The task for its next time; without one it has finished, once its runs have stopped."""
        if at is None or not logic.allows(at):
            return self._finish(tx, replace(logic, next_occurrence=None))
        try:
            task = self._create(tx, logic, at)
        except TaskdError as error:
            if logic.task_id is None:  # it is just being made
                raise
            return self._fail(tx, logic, error.message)
        return store.save(tx.write(), replace(logic, task_id=task.id, next_occurrence=at))

    def _create(self, tx: Transaction, logic: RecurringLogic, at: datetime) -> Task:
        input = logic.input
        if secrets.HIDDEN in input.values():
            input = input | secrets.read(self._places.secrets, secrets.of_logic(logic.id))
        return create(
            tx,
            self._places,
            self._definition(logic),
            input,
            {},
            cast(Order, logic.order),
            logic.user,
            logic.uid,
            keep=logic.definition,
            when=When(at=at),
            logic=logic.id,
        )

    def _definition(self, logic: RecurringLogic) -> Definition:
        if logic.definition is not None:
            return wire.decode(Definition, logic.definition)
        return self.catalog.get(logic.label)

    def _move(self, tx: Transaction, logic: RecurringLogic, task: Task) -> RecurringLogic:
        """Its scheduled task, to the next time from now on."""
        at = _next(logic, max(task.start_at, tx.now))
        if at is None or not logic.allows(at):
            logic = store.save(tx.write(), replace(logic, next_occurrence=None))
            self._cancel(tx, [task], SYSTEM)
            return self._finish(tx, logic)
        tx.save(lifecycle.moved(task, at, tx.now))
        return store.save(tx.write(), replace(logic, next_occurrence=at))

    def _leave_out(
        self, tx: Transaction, logic: RecurringLogic, task: Task, event: str, why: str
    ) -> bool:
        """The time of its scheduled task, and others that have passed. Whether it is the first in
        a row."""
        is_first = store.note(tx.write(), logic.id, task.start_at, event, why)
        self._note_passed(tx, logic, task.start_at, why)
        self._move(tx, logic, task)
        return is_first

    def _note_passed(
        self, tx: Transaction, logic: RecurringLogic, after: datetime, why: str
    ) -> None:
        """The times since then that have passed."""
        passed = list(itertools.islice(_times(logic, after, tx.now), MANY))
        if passed:
            store.note(tx.write(), logic.id, passed[0], "passed over", why,
                       times=len(passed), last_at=passed[-1])  # fmt: skip

    def _finish(self, tx: Transaction, logic: RecurringLogic) -> RecurringLogic:
        """Once the last run has stopped."""
        if not self._unfinished(tx, logic):
            logic = rules.finished(logic)
            store.note(tx.write(), logic.id, tx.now, "finished")
            self._close(tx, logic)
        return store.save(tx.write(), logic)

    def _fail(self, tx: Transaction, logic: RecurringLogic, why: str) -> RecurringLogic:
        task = self._scheduled(tx, logic)
        logic = store.save(tx.write(), rules.failed(logic, why))
        store.note(tx.write(), logic.id, tx.now, "failed", why)
        log.warning("recurring logic %d has failed: %s", logic.id, why)
        self._close(tx, logic)
        if task:
            tx.save(lifecycle.never_begins(task, "action-changed", why, tx.now))
        return logic

    def _cancel(self, tx: Transaction, tasks: Iterable[Task], who: str) -> None:
        for task in tasks:
            if not task.finished:
                with suppress(InvalidState):  # it may not be cancelled: it goes on
                    self.tell_to_end(tx, family.cancel(tx, self.catalog, task, who))

    def _scheduled(self, tx: Transaction, logic: RecurringLogic) -> Task | None:
        if logic.task_id is None:
            return None
        task = tx.find(logic.task_id)  # it may have been cancelled, and deleted
        return task if task and task.state is State.SCHEDULED else None

    def _unfinished(self, tx: Transaction, logic: RecurringLogic) -> list[Task]:
        """Its tasks that have not stopped, also those that the store does not have yet."""
        changed = {t.id for t in tx.changed.values() if t.recurring_logic_id == logic.id}
        known = changed.union(store.unfinished_runs(tx.connection, logic.id))
        return [task for task in map(tx.get, sorted(known)) if not task.finished]

    def _close(self, tx: Transaction, logic: RecurringLogic) -> None:
        """Its secrets are of no more use."""
        owner = secrets.of_logic(logic.id)
        tx.after_commit.append(partial(secrets.remove, self._places.secrets, owner))


def _times(logic: RecurringLogic, after: datetime, until: datetime) -> Iterable[datetime]:
    at = _next(logic, after)
    while at is not None and at <= until:
        yield at
        at = _next(logic, at)


def _next(logic: RecurringLogic, after: datetime) -> datetime | None:
    return _time_after(logic.cron_line, logic.timezone, after)


@lru_cache(1000)  # many are due at the same time, and again
def _time_after(line: str, zone: str, after: datetime) -> datetime | None:
    return _read(line).next(after, zone_of(zone))


_read = lru_cache(1000)(read_line)
