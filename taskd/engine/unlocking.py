"""The way out of a lock: a task is stopped as it is, and may be resumed when its locks are free.

What runs of it and of its sub-tasks is killed first: nobody gets a lock under which there is still
work. What does not die within `PATIENCE` is given up.
"""

from collections.abc import Mapping
from datetime import datetime

from taskd import wire
from taskd.catalog.catalog import Catalog
from taskd.engine import secrets
from taskd.engine.family import end
from taskd.engine.locking import Conflict, Wanted
from taskd.model import lifecycle
from taskd.model.errors import InvalidInput, InvalidState
from taskd.model.lock import Lock
from taskd.model.step import JSON, PLAN, StepState
from taskd.model.task import State, Task
from taskd.places import Places
from taskd.store import children
from taskd.store.transaction import Transaction

PATIENCE = 5.0  # seconds


def unlock(tx: Transaction, task: Task, who: str, *, force: bool, reason: str) -> list[Task]:
    """The task and its unfinished sub-tasks, all to be stopped. Raises InvalidState."""
    detail = ", ".join(filter(None, ("by force" if force else "", reason)))

    def rule(each: Task, at_work: list[str]) -> Task:
        first = each.id == task.id
        return lifecycle.unlock(
            each,
            who,
            tx.now,
            force=force or not first,
            detail=detail if first else f"with task {task.id}",
            kept=wire.encode(each.locks) if each.locks else None,
            at_work=at_work,
        )

    return end(tx, task, rule)


def give_up(tx: Transaction, task_id: int, since: datetime) -> None:
    """Stop the task that was unlocked in the state which it had `since` then, whatever became of
    what ran of it.

    It may have stopped, been resumed and be unlocked again: that is another one's business.
    """
    task = tx.get(task_id)
    while task.unlocking and task.state_updated_at == since:
        steps = task.steps.values()
        name = next(s.name for s in steps if s.state is StepState.RUNNING or s.waits_for_tasks)
        task = tx.save(lifecycle.killed(task, name, tx.now, seen=False))


def resume(
    tx: Transaction,
    catalog: Catalog,
    places: Places,
    task: Task,
    who: str,
    given: Mapping[str, str],
    *,
    noop: bool = False,
) -> Task | Conflict:
    """A paused task goes on; one that was unlocked takes its locks again, or there is a conflict.

    Secrets are gone when a task has stopped, so it must be `given` them; they are files, which are
    not written by `noop`. Raises InvalidState and InvalidInput.
    """
    resumed = lifecycle.resume(task, who, tx.now)
    if task.finished and task.parent_task_id is not None:
        _check_parent(tx, task, tx.get(task.parent_task_id))
    values = _secrets(catalog, places, task, given)
    if given and not noop:
        secrets.write(places.secrets, task.id, values)
    if not task.finished:
        return resumed
    kept = task.steps[PLAN].kept
    wanted = Wanted(tx, resumed, wire.decode(tuple[Lock], kept or ()))
    return wanted.conflict() or wanted.take()


def _check_parent(tx: Transaction, task: Task, parent: Task) -> None:
    """What a sub-task works on may be locked by those above it, which must not end before it."""
    number = children.step_of(tx.connection, task.id)
    step = next((s for s in parent.steps.values() if s.number == number), None)
    waits = step and (step.waits_for_tasks or (parent.state is State.PAUSED and not step.finished))
    if not waits or parent.cancelling or parent.unlocking:
        raise InvalidState(
            f"cannot resume task {task.id}: task {parent.id} does not wait for it any more",
            hint=f"taskctl resume {parent.id} starts it anew" if parent.resumable else "",
        )


def _secrets(
    catalog: Catalog, places: Places, task: Task, given: Mapping[str, str]
) -> dict[str, JSON]:
    """Those that it has, and is given. Raises InvalidInput."""
    definition = catalog.of(task)
    fields = definition.fields if definition else ()
    names = {field.name for field in fields if field.secret and field.name in task.input}
    if unknown := given.keys() - names:
        raise InvalidInput(f"task {task.id} has no secret {', '.join(sorted(unknown))}")
    values = {**secrets.read(places.secrets, task.id), **given}
    if missing := sorted(names - values.keys()):
        raise InvalidInput(
            f"cannot resume task {task.id}: when it stopped, its secrets were deleted",
            hint=f"taskctl resume {task.id} "
            + " ".join(f"--secret {name}=@FILE" for name in missing),
        )
    return values
