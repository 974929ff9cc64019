"""Moves a task on, as executors do by what they report; and what tests look at then."""

from builders import NOW, a_new_task, a_planned_task, an_error

from taskd.model import lifecycle
from taskd.model.definition import Retry
from taskd.model.step import Rescue
from taskd.model.task import Task

ONCE = Retry()


def one_step() -> Task:
    return a_planned_task(["sequence", "a"])


def paused() -> Task:
    return fail(one_step(), "a")


def paused_plan() -> Task:
    return fail(a_new_task(), "plan")


def cancelling() -> Task:
    return lifecycle.cancel(begin(one_step(), "a"), "ana", NOW)


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


def states(task: Task) -> dict[str, str]:
    return {name: str(step.state) for name, step in task.steps.items() if name != "plan"}


def ready(task: Task) -> list[str]:
    return [name for name, step in task.steps.items() if step.ready]


def events(task: Task) -> list[str]:
    return [event.event for event in task.history]
