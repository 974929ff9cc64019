"""Moves a task on, as executors do by what they report; and what tests look at then."""

from builders import NOW, a_new_task, a_planned_task, an_error, later

from taskd.model import lifecycle
from taskd.model.definition import Retry
from taskd.model.step import JSON, Rescue
from taskd.model.task import Task

ONCE = Retry()


def one_step() -> Task:
    return a_planned_task(["sequence", "a"])


def paused() -> Task:
    return fail(one_step(), "a")


def paused_plan() -> Task:
    return fail(a_new_task(), "plan")


def cancelling() -> Task:
    return cancel(begin(one_step(), "a"))


def waiting() -> Task:
    """Its plan is made; another task has the lock."""
    return lifecycle.waits(begin(a_new_task(), "plan"), {"name": "Demo"}, "it is locked", NOW)


def unlocking() -> Task:
    return unlock(begin(one_step(), "a"))


def begin(task: Task, *names: str) -> Task:
    for name in names:
        task = lifecycle.begun(task, name, 7, NOW)
    return task


def succeed(task: Task, *names: str) -> Task:
    for name in names:
        task = lifecycle.succeeded(begin(task, name), name, name.upper(), NOW)
    return task


def fail(task: Task, name: str, rescue: str = "pause", retry: Retry = ONCE) -> Task:
    return lifecycle.failed(begin(task, name), name, an_error(), retry, Rescue(rescue), NOW)


def interrupt(task: Task, name: str, *, idempotent: bool, rescue: str = "pause") -> Task:
    return lifecycle.interrupted(begin(task, name), name, "killed", idempotent, Rescue(rescue), NOW)


def snooze(task: Task, name: str, kept: JSON = None) -> Task:
    return lifecycle.snoozed(begin(task, name), name, kept, later(60), NOW)


def delegate(task: Task, name: str) -> Task:
    return lifecycle.delegated(begin(task, name), name, NOW)


def cancel(task: Task) -> Task:
    return lifecycle.cancel(task, "ana", NOW)


def unlock(task: Task) -> Task:
    return lifecycle.unlock(task, "ana", NOW, force=True)


def kill(task: Task, *names: str) -> Task:
    for name in names:
        task = lifecycle.killed(task, name, NOW)
    return task


def resume(task: Task) -> Task:
    return lifecycle.resume(task, "ana", NOW)


def states(task: Task) -> dict[str, str]:
    return {name: str(step.state) for name, step in task.steps.items() if name != "plan"}


def ready(task: Task) -> list[str]:
    return [name for name, step in task.steps.items() if step.ready]


def events(task: Task) -> list[str]:
    return [event.event for event in task.history]
