"""A task with those above and below it: what is done to one of them reaches others."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeAlias

from taskd.catalog.catalog import Catalog
from taskd.model import lifecycle
from taskd.model.errors import InvalidState
from taskd.model.step import Step, StepState
from taskd.model.task import State, Task
from taskd.store import children
from taskd.store.transaction import Transaction


def ancestors(tx: Transaction, task: Task) -> Iterator[Task]:
    """Its parent, the parent of that, …"""
    while task.parent_task_id is not None:
        task = tx.get(task.parent_task_id)
        yield task


def members(tx: Transaction, task: Task) -> list[Task]:
    """The task, its unfinished sub-tasks, theirs, … as they are now."""
    changed: dict[int | None, list[int]] = {}  # children, which the store may not have yet
    for each in tx.changed.values():
        changed.setdefault(each.parent_task_id, []).append(each.id)
    family = [task]
    for each in family:  # it grows meanwhile
        below = {*children.unfinished(tx.connection, each.id), *changed.get(each.id, ())}
        family += [child for child in map(tx.get, sorted(below)) if not child.finished]
    return family


Rule: TypeAlias = Callable[[Task, list[str]], Task]


def end(tx: Transaction, task: Task, rule: Rule) -> list[Task]:
    """The task and what it waits for, each as `rule` says; none when it raises for one of them.

    It is told of a task and of its failed steps of which a sub-task was resumed by itself and is
    still at work.
    """
    ended: dict[int, Task] = {}
    for each in reversed(members(tx, task)):
        ended[each.id] = rule(each, _steps_at_work(tx, each, ended))
    return [tx.save(each) for each in reversed(ended.values())]


def _steps_at_work(tx: Transaction, task: Task, ended: Mapping[int, Task]) -> list[str]:
    def at_work(step: Step) -> bool:
        below = [child.id for child in children.of_step(tx.connection, task.id, step.number)]
        return not all((ended.get(each) or tx.get(each)).finished for each in below)

    failed = [s for s in task.steps.values() if s.state is StepState.ERROR]
    return [step.name for step in failed if at_work(step)]


def cancel(tx: Transaction, catalog: Catalog, task: Task, who: str) -> list[Task]:
    """The task and what it waits for, all cancelled. Raises InvalidState; then none is."""

    def rule(each: Task, at_work: list[str]) -> Task:
        definition = catalog.of(each)
        may = definition is None or definition.cancellable
        return lifecycle.cancel(each, who, tx.now, cancellable=may, at_work=at_work)

    return end(tx, task, rule)


def skip(tx: Transaction, task: Task, names: Collection[str] | None, who: str) -> Task:
    """The task without what failed. Raises InvalidState, also where a sub-task of it is left."""
    skipped = lifecycle.skip(task, names, who, tx.now)
    for name, step in task.steps.items():
        if step.finished or not skipped.steps[name].finished:
            continue
        for child in children.of_step(tx.connection, task.id, step.number):
            if not (left := tx.get(child.id)).finished:
                way = "resume" if left.state is State.PAUSED else "wait"
                raise InvalidState(
                    f"cannot skip step {name!r} of task {task.id}: its sub-task {left.id} is"
                    f" {left.state}",
                    hint=f"first taskctl {way} {left.id}, or taskctl cancel {left.id}",
                )
    return skipped
