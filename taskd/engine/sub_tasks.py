"""Sub-tasks: the tasks that a step waits for, and what becomes of it as they come to rest."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from taskd.catalog.catalog import Catalog
from taskd.catalog.inputs import read_input
from taskd.engine import secrets
from taskd.engine.apart import apart
from taskd.engine.creating import Order, create
from taskd.engine.family import ancestors, cancel
from taskd.executors.base import Delegated, SubTask, timed_out
from taskd.model import lifecycle
from taskd.model.definition import Delegation, Retry
from taskd.model.errors import InvalidInput, InvalidState, TaskdError
from taskd.model.record import replace
from taskd.model.step import JSON, Rescue, Step, StepError
from taskd.model.task import SYSTEM, Result, State, Task
from taskd.model.template import fill_value
from taskd.places import Places
from taskd.step_types.action import ITEM
from taskd.store import children
from taskd.store.children import Child
from taskd.store.transaction import Transaction

SUBSCRIBERS = "subscribers"  # the step that waits for actions that run beside the task
MAX_DEPTH = 50
NAMED = 10  # sub-tasks in the text of an error

_BAD = (Result.ERROR, Result.CANCELLED)


class SubTasks:
    """`catalog` is replaced when it is read again."""

    def __init__(self, catalog: Catalog, places: Places) -> None:
        self.catalog = catalog
        # Told when `overdue` is to be called, of which task and step; the director sees to it.
        self.arm: Callable[[datetime, int, str], object]
        self._places = places
        self._started = False  # some, since `settle` was called last
        self._started_again: set[int] = set()  # tasks, to be looked at before the commit

    def start(self, tx: Transaction, task: Task, name: str, wanted: Delegated) -> Task:
        """Create what the step asked for, all or nothing; then it waits for them."""
        if task.cancelling:
            return lifecycle.cancelled(task, name, tx.now)
        step = task.steps[name]
        self._started = True
        try:
            self._check(tx, task, wanted.tasks)
        except TaskdError as error:
            return self._fail(tx, task, name, self._refusal(task, error))
        if not wanted.tasks:
            return lifecycle.succeeded(task, name, _output([]), tx.now)
        room = wanted.concurrency or len(wanted.tasks)
        created = [
            self._create(tx, task, each, held=number >= room).id
            for number, each in enumerate(wanted.tasks)
        ]
        children.add(tx.write(), task.id, step.number, created, wanted.concurrency)
        self._limit(tx, task, name)
        return lifecycle.delegated(task, name, tx.now)

    def start_for(
        self,
        tx: Transaction,
        task: Task,
        name: str,
        delegation: Delegation,
        values: dict[str, JSON],
    ) -> Task:
        """As the definition says, with these values in its templates."""
        items: list[JSON] = [None]
        if delegation.for_each is not None:
            items = fill_value(delegation.for_each, values)
            if not isinstance(items, list):
                what = f"for_each: {delegation.for_each} is {json.dumps(items)[:80]}, not a list"
                return self._fail(tx, task, name, StepError("sub-tasks", what))
        wanted = [
            SubTask(delegation.label, fill_value(delegation.input, values | {ITEM: item}))
            for item in items
        ]
        return self.start(tx, task, name, Delegated(tuple(wanted), delegation.concurrency))

    def start_subscribers(self, tx: Transaction, task: Task) -> Task:
        """The actions that run beside this one, with those of its inputs that they have."""
        hidden = secrets.read(self._places.secrets, task.id)
        wanted = []
        for label in self.catalog.subscribers.get(task.label, ()):
            fields = self.catalog.get(label).fields
            seen = (task.input | hidden).items()
            may = {f.name for f in fields if f.secret or f.name not in hidden}
            wanted.append(SubTask(label, {k: v for k, v in seen if k in may}))
        task = lifecycle.begun(task, SUBSCRIBERS, None, tx.now)
        return self.start(tx, task, SUBSCRIBERS, Delegated(tuple(wanted)))

    def start_again(self, tx: Transaction, task: Task, name: str) -> Task:
        """For a step that has sub-tasks: the paused ones are resumed, those that failed are started
        anew, the others stay."""
        step = task.steps[name]
        task = lifecycle.begun(task, name, None, tx.now)
        for child in children.of_step(tx.connection, task.id, step.number):
            found = tx.get(child.id)
            if found.state is State.PAUSED:
                tx.save(lifecycle.resume(found, SYSTEM, tx.now))
            elif found.result in _BAD:
                input = found.input | secrets.read(self._places.secrets, found.id)
                if secrets.HIDDEN in input.values():
                    why = _lost_secret(found)
                    return self._fail(tx, task, name, StepError("sub-tasks", why))
                tx.save(replace(found, resumable=False))
                again = self._create(tx, task, SubTask(found.label, input), held=True)
                children.exchange(tx.write(), task.id, step.number, child.position, again.id)
        self._limit(tx, task, name)
        self._started_again.add(task.id)
        return lifecycle.delegated(task, name, tx.now)

    def overdue(self, tx: Transaction, task_id: int, name: str) -> list[Task]:
        """Where the step has waited for its sub-tasks for as long as it may, they are cancelled.

        Those that were; one that must not be goes on. The step fails when all have ended. The clock
        may say that it is not so yet, and the step may have begun anew.
        """
        task = tx.get(task_id)
        step = task.steps[name]
        deadline = self._deadline(task, step)
        if deadline is None or not step.waits_for_tasks or task.unlocking:
            return []
        if tx.now < deadline:
            tx.after_commit.append(lambda: self.arm(deadline, task_id, name))
            return []
        cancelled: list[Task] = []
        for child in children.of_step(tx.connection, task_id, step.number):
            if not (left := tx.get(child.id)).finished:
                with suppress(InvalidState):  # it works under our locks, so it is waited for
                    cancelled += cancel(tx, self.catalog, left, SYSTEM)
        return cancelled

    def _limit(self, tx: Transaction, task: Task, name: str) -> None:
        step = task.steps[name]
        if deadline := self._deadline(task, step):
            children.set_deadline(tx.write(), task.id, step.number, deadline)
            tx.after_commit.append(lambda: self.arm(deadline, task.id, name))

    def _deadline(self, task: Task, step: Step) -> datetime | None:
        """Until when it waits."""
        known = self.catalog.step_of(task, step.name)
        if not (known and known.timeout and step.started_at):
            return None
        return step.started_at + timedelta(seconds=known.timeout)

    def _timed_out(self, task: Task, name: str) -> StepError:
        known = self.catalog.step_of(task, name)
        return timed_out(known.timeout if known and known.timeout else 0.0).error

    def settle(self, tx: Transaction) -> bool:
        """Tell parents of sub-tasks that have come to rest. Whether something may start by that.

        Not within a change: what has changed is written first, so that SQL can count it.
        """
        news, self._started = self._started, False
        while parents := self._started_again | {
            task.parent_task_id for task in tx.rested_sub_tasks() if task.parent_task_id
        }:
            self._started_again = set()
            tx.flush()
            for parent in sorted(parents):
                what = f"tell task {parent} of its sub-tasks"
                apart(tx, what, partial(self._tell, tx, parent))
            news = True
        return news

    def _tell(self, tx: Transaction, parent: int) -> None:
        task = tx.get(parent)
        for step in list(task.steps.values()):
            if step.waits_for_tasks:
                task = self._judge(tx, task, step)
        tx.save(task)

    def _judge(self, tx: Transaction, task: Task, step: Step) -> Task:
        """The step goes on waiting, or it ends as its sub-tasks did."""
        count = children.count(tx.connection, task.id, step.number)
        total = sum(count.values())
        done = sum(n for (state, _), n in count.items() if state == "stopped")
        at_rest = done + sum(n for (state, _), n in count.items() if state == "paused")
        held = count.get(("scheduled", "pending"), 0)
        task = lifecycle.progressed(task, step.name, done / total, f"{done} of {total}", tx.now)
        if at_rest == total:
            return self._end(tx, task, step)
        if held:
            room = children.concurrency(tx.connection, task.id, step.number) or total
            room -= total - at_rest - held
            for child in children.held(tx.connection, task.id, step.number, max(0, room)):
                tx.save(lifecycle.released(tx.get(child), tx.now))
        return task

    def _end(self, tx: Transaction, task: Task, step: Step) -> Task:
        ended = children.of_step(tx.connection, task.id, step.number)
        paused = [child for child in ended if child.state == State.PAUSED]
        bad = paused or [child for child in ended if child.result in _BAD]
        if task.unlocking:
            return lifecycle.killed(task, step.name, tx.now)
        if task.cancelling:
            return lifecycle.cancelled(task, step.name, tx.now)
        deadline = self._deadline(task, step)
        if bad and not paused and deadline and tx.now >= deadline:
            return self._fail(tx, task, step.name, self._timed_out(task, step.name))
        if bad:
            return self._fail(tx, task, step.name, _error(bad, len(ended)), paused=bool(paused))
        if any(child.result == Result.WARNING for child in ended):
            task = replace(task, needed_help=True)
        return lifecycle.succeeded(task, step.name, _output(ended), tx.now)

    def _fail(
        self, tx: Transaction, task: Task, name: str, error: StepError, *, paused: bool = False
    ) -> Task:
        """A sub-task that is paused needs a person, whatever the step's rescue is."""
        definition = self.catalog.of(task)
        known = self.catalog.step_of(task, name)
        rescue = definition.rescue_of(name) if definition else Rescue.PAUSE
        retry = known.retry if known else Retry()
        if paused:
            retry, rescue = Retry(), Rescue.PAUSE
        return lifecycle.failed(task, name, error, retry, rescue, tx.now)

    def _check(self, tx: Transaction, parent: Task, wanted: Iterable[SubTask]) -> None:
        """Raises NotFound and InvalidInput."""
        above = [parent, *ancestors(tx, parent)]
        if len(above) > MAX_DEPTH:
            raise InvalidInput(
                f"sub-tasks are nested more than {MAX_DEPTH} deep: is there an end to them?"
            )
        for each in wanted:
            values = read_input(self.catalog.get(each.label), each.input, {})
            for task in above:
                if (task.label, task.input) == (each.label, values):
                    raise InvalidInput(
                        f"cannot start {each.label} as a sub-task of itself: task {task.id} has the"
                        " same input; give it another one, or start another action"
                    )

    def _refusal(self, task: Task, error: TaskdError) -> StepError:
        """With the place of the action, and the remedy."""
        definition = self.catalog.of(task)
        place = f"{definition.file}:{definition.line}: " if definition and definition.file else ""
        hint = f"; {error.hint}" if error.hint else ""
        return StepError("sub-tasks", f"{place}{error.message}{hint}")

    def _create(self, tx: Transaction, parent: Task, wanted: SubTask, *, held: bool) -> Task:
        return create(
            tx,
            self._places,
            self.catalog.get(wanted.label),
            wanted.input,
            {},
            Order(priority=parent.priority),
            parent.user,
            parent.uid,
            parent=parent.id,
            held=held,
        )


def _lost_secret(child: Task) -> str:
    why = f"sub-task {child.id} had a secret, which is gone: it cannot start anew"
    names = [name for name, value in child.input.items() if value == secrets.HIDDEN]
    given = " ".join(f"--secret {name}=@FILE" for name in names)
    return f"{why}; taskctl resume {child.id} {given}" if child.resumable else why


def _output(ended: Iterable[Child]) -> JSON:
    ended = list(ended)
    results = [child.result for child in ended]
    kinds = (Result.SUCCESS, Result.WARNING, Result.ERROR, Result.CANCELLED)
    counts = {str(kind): results.count(kind) for kind in kinds}
    return {"total": len(ended), **counts, "tasks": [child.id for child in ended]}


def _error(bad: list[Child], total: int) -> StepError:
    shown = [f"{child.id} ({_outcome(child)})" for child in bad[:NAMED]]
    if len(bad) > NAMED:
        shown.append("…")
    what = "is paused" if bad[0].state == State.PAUSED else "failed"
    if what == "is paused" and len(bad) > 1:
        what = "are paused"
    more = f"; taskctl show {bad[0].id}"
    message = f"{len(bad)} of {total} sub-tasks {what}: {', '.join(shown)}{more}"
    return StepError("sub-tasks", message, detail={"tasks": [child.id for child in bad]})


def _outcome(child: Child) -> str:
    return child.state if child.state == State.PAUSED else child.result
