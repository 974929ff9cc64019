"""A lock conflict is told as it is now: who holds the lock, since when, and what would help."""

from collections.abc import Iterable

from taskd.engine.locking import Conflict
from taskd.model.errors import LockConflict
from taskd.model.lock import Claim, Lock
from taskd.model.record import replace
from taskd.model.step import PLAN, StepError
from taskd.model.task import State, Task
from taskd.store import claims, tasks
from taskd.store.database import Connection
from taskd.store.transaction import Transaction


def get_full(connection: Connection, task_id: int) -> Task:
    """One task with all that is known of it. Raises NotFound."""
    return explain(connection, tasks.get_full(connection, task_id))


def explain(connection: Connection, task: Task) -> Task:
    """`task` with what it waits for, and the texts of its conflicts, as the holders are now."""
    if task.waits_for_lock:
        return _with_waits(connection, task)
    steps = {
        name: replace(step, error=_told(connection, step.error))
        for name, step in task.steps.items()
        if step.error and step.error.kind == "lock-conflict"
    }
    if not steps:
        return task
    errors = tuple(
        replace(error, message=told.error.message)
        if (told := steps.get(error.step)) and told.error
        else error
        for error in task.errors or [step.error for step in task.steps.values() if step.error]
    )
    return replace(task, steps=task.steps | steps, errors=errors)


def refusal(tx: Transaction, task: Task, conflict: Conflict) -> LockConflict:
    """Why a task that was unlocked cannot be resumed."""
    told = "; ".join(_holder(tx.get(holder)) for holder in conflict.holders)
    return LockConflict(f"cannot resume task {task.id}: {conflict.lock} is locked by {told}")


def _with_waits(connection: Connection, task: Task) -> Task:
    found = claims.waited_for(connection, task.id)
    told = "; ".join(_wait(connection, claim) for claim in found if claim.behind)
    plan = replace(task.steps[PLAN], note=told)
    return replace(task, waits_for=found, steps=task.steps | {PLAN: plan})


def _wait(connection: Connection, claim: Claim) -> str:
    before = _tasks(connection, claim.behind, hint=False)
    return f"{Lock(claim.resource, claim.operation)} after {before}"


def _told(connection: Connection, error: StepError) -> StepError:
    lock = Lock(error.detail["resource"], error.detail["operation"])
    circle, top = error.detail["circle"], error.detail["top"]
    held = _tasks(connection, error.detail["holders"], hint=not circle)
    message = f"{lock} is locked by {held}"
    if circle:
        names = " and ".join(f"task {holder}" for holder in circle)
        message += (
            f"; {names} and task {top} wait for each other: taskctl cancel {top}, or "
            f"taskctl cancel {circle[0]}"
        )
    return replace(error, message=message)


def _tasks(connection: Connection, task_ids: Iterable[int], *, hint: bool = True) -> str:
    """Each as it is now, with what would help; without `hint` only where a person is needed."""
    found = [tasks.summary(connection, task_id) for task_id in task_ids]
    return "; ".join(_holder(task, hint) for task in found if task) or "a task that is gone"


def _holder(holder: Task, hint: bool = True) -> str:
    since = f"{holder.state_updated_at:%Y-%m-%d %H:%M:%S} UTC"
    text = f"task {holder.id} ({holder.name}), {holder.state} since {since}"
    match holder.state:
        case State.STOPPED:
            return f"{text}: the lock is free again"
        case State.PAUSED:
            return f"{text}: taskctl resume {holder.id}, or taskctl cancel {holder.id}"
        case _:
            return f"{text}: taskctl wait {holder.id}" if hint else text
