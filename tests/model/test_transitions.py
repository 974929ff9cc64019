"""Whatever a task is in and whatever happens to it: the state and result that follow."""

import inspect
from collections.abc import Callable

import pytest
from builders import NOW, a_new_task, a_planned_task, a_step, a_task, an_error, later
from moves import (
    ONCE,
    begin,
    cancel,
    cancelling,
    delegate,
    fail,
    kill,
    one_step,
    paused,
    paused_plan,
    snooze,
    succeed,
    unlock,
    unlocking,
    waiting,
)

from taskd.model import lifecycle
from taskd.model.definition import Retry
from taskd.model.errors import TaskdError
from taskd.model.record import replace
from taskd.model.step import Rescue, Step, StepKind, StepState
from taskd.model.task import Result, State, Task

# S scheduled, P planned and R running, all pending; ? paused, error; s w e c stopped: success,
# warning, error, cancelled; x refused; · does not happen, for no step is in the state for it.
TABLE = """
released
│ never begins
│ │ begun
│ │ │ planned
│ │ │ │ waits
│ │ │ │ │ passed over
│ │ │ │ │ │ succeeded
│ │ │ │ │ │ │ snoozed
│ │ │ │ │ │ │ │ delegated
│ │ │ │ │ │ │ │ │ failed, pause
│ │ │ │ │ │ │ │ │ │ failed, skip
│ │ │ │ │ │ │ │ │ │ │ failed, fail
│ │ │ │ │ │ │ │ │ │ │ │ failed, retry
│ │ │ │ │ │ │ │ │ │ │ │ │ interrupted
│ │ │ │ │ │ │ │ │ │ │ │ │ │ interrupted, idempotent
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ interrupted, poison
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ cancelled
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ killed
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ never ran
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ progressed
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ due
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ resume
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ skip
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ skip, step a
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ cancel
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ cancel, not cancellable
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ unlock
│ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ │ unlock, force

P e · · · · · · · · · · · · · · · · · · · x x x c c x e scheduled
P e · · · · · · · · · · · · · · · · · · S x x x c c x e scheduled for a time
· e P R · · · · · · · · · · · · · · · · · x x x c c x e planned
· · · R P c · · · ? ? e P ? P ? · · P P · x x x P P x P planned, plan at work
· · · c c c · · · c c c c c c c c · c P · x x x P P x P planned, plan at work, cancelling
· · · · · · · · · e e e e e e e e e e P · x x x P P x P planned, plan at work, unlocking
· e · R · · · · · ? ? e P · · · · · · · · x x x c c x e planned, waits for a lock
· e R · · · · · · · · · · · · · · · · · · x x x c x x e running, none at work
· · · · · · · · · · · · · · · · · · · · R x x x c x x e running, retry waits
· · · · · · · · · · · · · · · · · · · · R x x x c x x e running, waits for its time
· · R · · · · · · · · · · · · · · · · · · x x x c x x e running, its time has come
· · · · · · s R R ? w e R ? R ? · · R R · x x x R x x R running, last step at work
· · · · · · R R R ? R e R ? R ? · · R R · x x x R x x R running, first step at work
· · · · · · ? R R ? ? ? R ? R ? · · R R · x x x R x x R running, after another failed
· · · · · · s R R ? w e R ? R ? · · R R · x x x R x x R running, finalize at work
· · · · · · s · · ? w e R · · · · · · R · x x x R x x R running, waits for sub-tasks
· · · · · · s c · c c c c c c c c · c R · x x x R R x R running, cancelling
· · · · · · s · · c c c c · · · c · · R · x x x R R x R running, cancelling, sub-tasks
· · · · · · e e · e e e e e e e e e e R · x x x R x x R running, unlocking
· · · · · · e · · e e e e · · · e e · R · x x x R x x R running, unlocking, sub-tasks
· · · · · · e e · e e e e e e e e e e R · x x x R R x R running, unlocking while cancelling
· · · · · · · · · · · · · · · · · · · · · R w w c c e e paused by a step
· · · · · · · · · · · · · · · · · · · · · R w ? c c e e paused by two steps
· e · · · · · · · · · · · · · · · · · · · P x x c c e e paused by the plan
· · · · · · · · · · · · · · · · · · · · · R w x c c e e paused by finalize
· · · · · · · · · · · · · · · · · · · · · x x x x x x x stopped, success
· · · · · · · · · · · · · · · · · · · · · x x x x x x x stopped, warning
· · · · · · · · · · · · · · · · · · · · · x x x x x x x stopped, error
· · · · · · · · · · · · · · · · · · · · · P x x x x x x stopped, error, unlocked when scheduled
· · · · · · · · · · · · · · · · · · · · · P x x x x x x stopped, error, unlocked when planned
· · · · · · · · · · · · · · · · · · · · · P x x x x x x stopped, error, unlocked in line
· · · · · · · · · · · · · · · · · · · · · R x x x x x x stopped, error, unlocked when paused
· · · · · · · · · · · · · · · · · · · · · P x x x x x x stopped, error, unlocked after its plan
· · · · · · · · · · · · · · · · · · · · · R x x x x x x stopped, error, unlocked with a step at work
· · · · · · · · · · · · · · · · · · · · · w x x x x x x stopped, error, unlocked as it was done
· · · · · · · · · · · · · · · · · · · · · R x x x x x x stopped, error, unlocked when cancelled
· · · · · · · · · · · · · · · · · · · · · x x x x x x x stopped, cancelled
· · · · · · · · · · · · · · · · · · · · · x x x x x x x stopped, cancelled, passed over
"""
HEAD, BODY = TABLE.strip().split("\n\n")
COLUMNS = [line.lstrip("│ ") for line in HEAD.splitlines()]
ROWS = {
    situation: cells
    for *cells, situation in (line.split(maxsplit=len(COLUMNS)) for line in BODY.splitlines())
}


def _two() -> Task:
    return a_planned_task(["concurrence", "a", "b"])


def _all_run() -> Task:
    return succeed(a_planned_task(["sequence", "a"], finalize=True), "a")


def _planning() -> Task:
    return begin(a_new_task(), "plan")


def _passed_over() -> Task:
    return lifecycle.passed_over(_planning(), "it is locked", NOW)


SITUATIONS: dict[str, Callable[[], Task]] = {
    "scheduled": lambda: a_new_task(state="scheduled"),
    "scheduled for a time": lambda: lifecycle.create(a_task(state="scheduled"), NOW, later(60)),
    "planned": a_new_task,
    "planned, plan at work": _planning,
    "planned, plan at work, cancelling": lambda: cancel(_planning()),
    "planned, plan at work, unlocking": lambda: unlock(_planning()),
    "planned, waits for a lock": waiting,
    "running, none at work": one_step,
    "running, retry waits": lambda: fail(one_step(), "a", retry=Retry(1)),
    "running, waits for its time": lambda: snooze(one_step(), "a"),
    "running, its time has come": lambda: lifecycle.due(snooze(one_step(), "a"), "a", NOW),
    "running, last step at work": lambda: begin(one_step(), "a"),
    "running, first step at work": lambda: begin(a_planned_task(["sequence", "a", "b"]), "a"),
    "running, after another failed": lambda: begin(fail(_two(), "b"), "a"),
    "running, finalize at work": lambda: begin(_all_run(), "finalize"),
    "running, waits for sub-tasks": lambda: delegate(one_step(), "a"),
    "running, cancelling": cancelling,
    "running, cancelling, sub-tasks": lambda: cancel(delegate(one_step(), "a")),
    "running, unlocking": unlocking,
    "running, unlocking, sub-tasks": lambda: unlock(delegate(one_step(), "a")),
    "running, unlocking while cancelling": lambda: unlock(cancelling()),
    "paused by a step": paused,
    "paused by two steps": lambda: fail(fail(_two(), "a"), "b"),
    "paused by the plan": paused_plan,
    "paused by finalize": lambda: fail(_all_run(), "finalize"),
    "stopped, success": lambda: succeed(one_step(), "a"),
    "stopped, warning": lambda: fail(one_step(), "a", "skip"),
    "stopped, error": lambda: fail(one_step(), "a", "fail"),
    "stopped, error, unlocked when scheduled": lambda: unlock(a_new_task(state="scheduled")),
    "stopped, error, unlocked when planned": lambda: unlock(a_new_task()),
    "stopped, error, unlocked in line": lambda: unlock(waiting()),
    "stopped, error, unlocked when paused": lambda: unlock(paused()),
    "stopped, error, unlocked after its plan": lambda: unlock(paused_plan()),
    "stopped, error, unlocked with a step at work": lambda: kill(unlocking(), "a"),
    "stopped, error, unlocked as it was done": lambda: lifecycle.succeeded(
        unlocking(), "a", 1, NOW
    ),
    "stopped, error, unlocked when cancelled": lambda: kill(unlock(cancelling()), "a"),
    "stopped, cancelled": lambda: cancel(one_step()),
    "stopped, cancelled, passed over": _passed_over,
}


def _failed(rescue: Rescue, retry: Retry = ONCE) -> Callable[[Task, str], Task]:
    return lambda t, name: lifecycle.failed(t, name, an_error(), retry, rescue, NOW)


def _interrupted(*, idempotent: bool, before: int = 0) -> Callable[[Task, str], Task]:
    def happen(task: Task, name: str) -> Task:
        step = replace(task.steps[name], interruptions=before)
        task = replace(task, steps=task.steps | {name: step})
        return lifecycle.interrupted(task, name, "killed", idempotent, Rescue.PAUSE, NOW)

    return happen


EVENTS: dict[str, Callable[[Task, str], Task]] = {
    "released": lambda t, _: lifecycle.released(t, NOW),
    "never begins": lambda t, _: lifecycle.never_begins(t, "expired", "too late", NOW),
    "begun": begin,
    "planned": lambda t, _: lifecycle.planned(t, "Demo", ["sequence", "a"], [a_step("a")], NOW),
    "waits": lambda t, _: lifecycle.waits(t, {"name": "Demo"}, "it is locked", NOW),
    "passed over": lambda t, _: lifecycle.passed_over(t, "it is locked", NOW),
    "succeeded": lambda t, name: lifecycle.succeeded(t, name, 1, NOW),
    "snoozed": lambda t, name: lifecycle.snoozed(t, name, None, later(60), NOW),
    "delegated": lambda t, name: lifecycle.delegated(t, name, NOW),
    **{f"failed, {rescue}": _failed(rescue) for rescue in Rescue},
    "failed, retry": _failed(Rescue.PAUSE, Retry(1)),
    "interrupted": _interrupted(idempotent=False),
    "interrupted, idempotent": _interrupted(idempotent=True),
    "interrupted, poison": _interrupted(idempotent=True, before=2),
    "cancelled": lambda t, name: lifecycle.cancelled(t, name, NOW),
    "killed": kill,
    "never ran": lambda t, name: lifecycle.never_ran(t, name, NOW),
    "progressed": lambda t, name: lifecycle.progressed(t, name, 0.5, "half", NOW),
    "due": lambda t, name: lifecycle.due(t, name, NOW),
    "resume": lambda t, _: lifecycle.resume(t, "ana", NOW),
    "skip": lambda t, _: lifecycle.skip(t, None, "ana", NOW),
    "skip, step a": lambda t, _: lifecycle.skip(t, ["a"], "ana", NOW),
    "cancel": lambda t, _: cancel(t),
    "cancel, not cancellable": lambda t, _: lifecycle.cancel(t, "ana", NOW, cancellable=False),
    "unlock": lambda t, _: lifecycle.unlock(t, "ana", NOW),
    "unlock, force": lambda t, _: unlock(t),
}


def function_of(event: str) -> str:
    return event.partition(",")[0].replace(" ", "_")


def steps_for(event: str, task: Task) -> list[str]:
    """Those that are in the state for it."""
    return [name for name, step in task.steps.items() if _can_happen(event, task, step)]


def _can_happen(event: str, task: Task, step: Step) -> bool:
    plan, at_work = step.kind is StepKind.PLAN, step.state is StepState.RUNNING
    match function_of(event):
        case "resume" | "skip" | "cancel" | "unlock":
            return plan  # to the task, once
        case "released":
            return plan and task.state is State.SCHEDULED
        case "never_begins":
            begun = any(step.started_at for step in task.steps.values() if step.name != "plan")
            return plan and not (begun or at_work or task.finished)
        case "begun":
            return step.ready
        case "due":
            return step.due_at is not None
        case "planned":
            made = step.ready or at_work or step.waits_for_lock
            return plan and made and not task.unlocking
        case "waits" | "passed_over":
            return plan and at_work and not task.unlocking
        case "snoozed":
            return at_work and not plan
        case "delegated":
            return at_work and not plan and not (task.cancelling or task.unlocking)
        case "interrupted" | "never_ran":
            return at_work
        case "succeeded":
            return (at_work and not plan) or step.waits_for_tasks
        case "failed":
            return at_work or step.waits_for_tasks or step.waits_for_lock
        case "cancelled":
            return (at_work or step.waits_for_tasks) and (task.cancelling or task.unlocking)
        case "killed":
            return (at_work or step.waits_for_tasks) and task.unlocking
        case _:
            return at_work or step.waits_for_tasks


def code(task: Task) -> str:
    """As in the table."""
    match task.state:
        case State.PAUSED:
            assert task.result is Result.ERROR
            return "?"
        case State.STOPPED:
            return task.result[0]
        case _:
            assert task.result is Result.PENDING
            return task.state[0].upper()


@pytest.mark.parametrize("event", COLUMNS)
@pytest.mark.parametrize("situation", ROWS)
def test_transition(situation: str, event: str) -> None:
    task = SITUATIONS[situation]()
    expected = ROWS[situation][COLUMNS.index(event)]
    steps = steps_for(event, task)

    if expected == "·":
        assert steps == []
    elif expected == "x":
        with pytest.raises(TaskdError):
            EVENTS[event](task, *steps)
    else:
        assert code(EVENTS[event](task, *steps)) == expected


def test_table_has_a_column_for_every_event() -> None:
    functions = [f for _, f in inspect.getmembers(lifecycle, inspect.isfunction)]
    changes = {f.__name__ for f in functions if "task" in inspect.signature(f).parameters}
    public = {name for name in changes if not name.startswith("_")} - {
        "create",
        "taken_up",  # what a new daemon tells of a step
        "ended_earlier",
        "moved",  # what is scheduled stays so
    }

    assert list(EVENTS) == COLUMNS
    assert {function_of(event) for event in EVENTS} == public


def test_table_has_a_row_for_every_state_and_end() -> None:
    tasks = [make() for make in SITUATIONS.values()]
    ends = {task.result for task in tasks if task.finished}

    assert list(ROWS) == list(SITUATIONS)
    assert {task.state for task in tasks} == set(State)
    assert ends == set(Result) - {Result.PENDING}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_row_is_what_it_says(situation: str) -> None:
    task = SITUATIONS[situation]()
    names = situation.replace(",", "").split()

    assert task.state == names[0]
    assert not task.finished or task.result == names[1]
    assert (task.cancelling, task.unlocking) == ("cancelling" in names, "unlocking" in names)
    assert task.waits_for_lock == ("lock" in names)
    assert not task.finished or task.resumable == ("unlocked" in names)
