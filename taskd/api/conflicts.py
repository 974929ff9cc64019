"""A lock conflict is told as it is now: who holds the lock, since when, and what would help."""

from taskd.model.record import replace
from taskd.model.step import StepError
from taskd.model.task import State, Task
from taskd.store import tasks
from taskd.store.database import Connection


def explain(connection: Connection, task: Task) -> Task:
    """`task` with the texts of its conflicts made from the holders as they are."""
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


def _told(connection: Connection, error: StepError) -> StepError:
    lock, operation = error.detail["resource"], error.detail["operation"]
    lock = f"{lock}/{operation}" if operation else lock
    holders = [tasks.summary(connection, task_id) for task_id in error.detail["holders"]]
    told = "; ".join(_holder(holder) for holder in holders if holder)
    return replace(error, message=f"{lock} is locked by {told or 'a task that is gone'}")


def _holder(holder: Task) -> str:
    since = f"{holder.state_updated_at:%Y-%m-%d %H:%M:%S} UTC"
    text = f"task {holder.id} ({holder.name}), {holder.state} since {since}"
    match holder.state:
        case State.STOPPED:
            return f"{text}: the lock is free again"
        case State.PAUSED:
            return f"{text}: taskctl resume {holder.id}, or taskctl cancel {holder.id}"
        case _:
            return f"{text}: taskctl wait {holder.id}"
