"""Whatever a task is in and whatever happens to it: the state and result that follow."""

import inspect
from collections.abc import Callable

import pytest
from builders import NOW, a_new_task, a_planned_task, a_step, an_error, later
from moves import ONCE, begin, cancelling, fail, one_step, paused, paused_plan, succeed

from taskd.model import lifecycle
from taskd.model.definition import Retry
from taskd.model.errors import TaskdError
from taskd.model.record import replace
from taskd.model.step import Rescue, Step, StepKind, StepState
from taskd.model.task import Result, State, Task

# P planned and R running, both pending; pe paused, error; ss sw se sc stopped: success, warning,
# error, cancelled; no refused; · does not happen, for no step is in the state for it.
TABLE = """
released
│  begun
│  │  planned
│  │  │  succeeded
│  │  │  │  snoozed
│  │  │  │  │  delegated
│  │  │  │  │  │  failed, pause
│  │  │  │  │  │  │  failed, skip
│  │  │  │  │  │  │  │  failed, fail
│  │  │  │  │  │  │  │  │  failed, retry
│  │  │  │  │  │  │  │  │  │  interrupted
│  │  │  │  │  │  │  │  │  │  │  interrupted, idempotent
│  │  │  │  │  │  │  │  │  │  │  │  interrupted, poison
│  │  │  │  │  │  │  │  │  │  │  │  │  cancelled
│  │  │  │  │  │  │  │  │  │  │  │  │  │  never ran
│  │  │  │  │  │  │  │  │  │  │  │  │  │  │  progressed
│  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  due
│  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  resume
│  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  skip
│  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  skip, step a
│  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  cancel
│  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  │  cancel, not cancellable

P  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  no no no sc sc scheduled
·  P  R  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  no no no sc sc planned
·  ·  R  ·  ·  ·  pe pe se P  pe P  pe ·  P  P  ·  no no no P  P  planned, plan at work
·  ·  sc ·  ·  ·  sc sc sc sc sc sc sc sc sc P  ·  no no no P  P  planned, plan at work, cancelling
·  R  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  no no no sc no running, none at work
·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  R  no no no sc no running, retry waits
·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  R  no no no sc no running, waits for its time
·  R  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  no no no sc no running, its time has come
·  ·  ·  ss R  R  pe sw se R  pe R  pe ·  R  R  ·  no no no R  no running, last step at work
·  ·  ·  R  R  R  pe R  se R  pe R  pe ·  R  R  ·  no no no R  no running, first step at work
·  ·  ·  pe R  R  pe pe pe R  pe R  pe ·  R  R  ·  no no no R  no running, after another failed
·  ·  ·  ss R  R  pe sw se R  pe R  pe ·  R  R  ·  no no no R  no running, finalize at work
·  ·  ·  ss sc ·  sc sc sc sc sc sc sc sc sc R  ·  no no no R  no running, cancelling
·  ·  ·  ss ·  ·  pe sw se R  ·  ·  ·  ·  ·  R  ·  no no no R  no running, waits for sub-tasks
·  ·  ·  ss ·  ·  sc sc sc sc ·  ·  ·  sc ·  R  ·  no no no R  no running, sub-tasks, cancelling
·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  R  sw sw sc sc paused by a step
·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  R  sw pe sc sc paused by two steps
·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  P  no no sc sc paused by the plan
·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  R  sw no sc sc paused by finalize
·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  no no no no no stopped, success
·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  no no no no no stopped, warning
·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  no no no no no stopped, error
·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  R  no no no no stopped, error, resumable
·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  no no no no no stopped, cancelled
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


def _cancel(task: Task) -> Task:
    return lifecycle.cancel(task, "ana", NOW)


def _snoozed() -> Task:
    return lifecycle.snoozed(begin(one_step(), "a"), "a", {"polls": 1}, later(60), NOW)


def _delegated() -> Task:
    return lifecycle.delegated(begin(one_step(), "a"), "a", NOW)


SITUATIONS: dict[str, Callable[[], Task]] = {
    "scheduled": lambda: a_new_task(state="scheduled"),
    "planned": a_new_task,
    "planned, plan at work": lambda: begin(a_new_task(), "plan"),
    "planned, plan at work, cancelling": lambda: _cancel(begin(a_new_task(), "plan")),
    "running, none at work": one_step,
    "running, retry waits": lambda: fail(one_step(), "a", retry=Retry(1)),
    "running, waits for its time": _snoozed,
    "running, its time has come": lambda: lifecycle.due(_snoozed(), "a", NOW),
    "running, last step at work": lambda: begin(one_step(), "a"),
    "running, first step at work": lambda: begin(a_planned_task(["sequence", "a", "b"]), "a"),
    "running, after another failed": lambda: begin(fail(_two(), "b"), "a"),
    "running, finalize at work": lambda: begin(_all_run(), "finalize"),
    "running, cancelling": cancelling,
    "running, waits for sub-tasks": _delegated,
    "running, sub-tasks, cancelling": lambda: _cancel(_delegated()),
    "paused by a step": paused,
    "paused by two steps": lambda: fail(fail(_two(), "a"), "b"),
    "paused by the plan": paused_plan,
    "paused by finalize": lambda: fail(_all_run(), "finalize"),
    "stopped, success": lambda: succeed(one_step(), "a"),
    "stopped, warning": lambda: fail(one_step(), "a", "skip"),
    "stopped, error": lambda: fail(one_step(), "a", "fail"),
    "stopped, error, resumable": lambda: replace(fail(one_step(), "a", "fail"), resumable=True),
    "stopped, cancelled": lambda: _cancel(one_step()),
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
    "begun": begin,
    "planned": lambda t, _: lifecycle.planned(t, "Demo", ["sequence", "a"], [a_step("a")], NOW),
    "succeeded": lambda t, name: lifecycle.succeeded(t, name, 1, NOW),
    "snoozed": lambda t, name: lifecycle.snoozed(t, name, None, later(60), NOW),
    "delegated": lambda t, name: lifecycle.delegated(t, name, NOW),
    **{f"failed, {rescue}": _failed(rescue) for rescue in Rescue},
    "failed, retry": _failed(Rescue.PAUSE, Retry(1)),
    "interrupted": _interrupted(idempotent=False),
    "interrupted, idempotent": _interrupted(idempotent=True),
    "interrupted, poison": _interrupted(idempotent=True, before=2),
    "cancelled": lambda t, name: lifecycle.cancelled(t, name, NOW),
    "never ran": lambda t, name: lifecycle.never_ran(t, name, NOW),
    "progressed": lambda t, name: lifecycle.progressed(t, name, 0.5, "half", NOW),
    "due": lambda t, name: lifecycle.due(t, name, NOW),
    "resume": lambda t, _: lifecycle.resume(t, "ana", NOW),
    "skip": lambda t, _: lifecycle.skip(t, None, "ana", NOW),
    "skip, step a": lambda t, _: lifecycle.skip(t, ["a"], "ana", NOW),
    "cancel": lambda t, _: _cancel(t),
    "cancel, not cancellable": lambda t, _: lifecycle.cancel(t, "ana", NOW, cancellable=False),
}


def function_of(event: str) -> str:
    return event.partition(",")[0].replace(" ", "_")


def steps_for(event: str, task: Task) -> list[str]:
    """Those that are in the state for it."""
    return [name for name, step in task.steps.items() if _can_happen(event, task, step)]


def _can_happen(event: str, task: Task, step: Step) -> bool:
    plan, at_work = step.kind is StepKind.PLAN, step.state is StepState.RUNNING
    match function_of(event):
        case "resume" | "skip" | "cancel":
            return plan  # to the task, once
        case "released":
            return plan and task.state is State.SCHEDULED
        case "begun":
            return step.ready
        case "due":
            return step.due_at is not None
        case "planned":
            return plan and (step.ready or at_work)
        case "snoozed":
            return at_work and not plan
        case "delegated":
            return at_work and not plan and not task.cancelling
        case "interrupted" | "never_ran":
            return at_work
        case "succeeded":
            return (at_work and not plan) or step.waits_for_tasks
        case "cancelled":
            return (at_work or step.waits_for_tasks) and task.cancelling
        case _:
            return at_work or step.waits_for_tasks


def code(task: Task) -> str:
    """As in the table."""
    pending = {State.PLANNED: "P", State.RUNNING: "R"}
    if task.result is Result.PENDING:
        return pending[task.state]
    return task.state[0] + task.result[0]


@pytest.mark.parametrize("event", COLUMNS)
@pytest.mark.parametrize("situation", ROWS)
def test_transition(situation: str, event: str) -> None:
    task = SITUATIONS[situation]()
    expected = ROWS[situation][COLUMNS.index(event)]
    steps = steps_for(event, task)

    if expected == "·":
        assert steps == []
    elif expected == "no":
        with pytest.raises(TaskdError):
            EVENTS[event](task, *steps)
    else:
        assert code(EVENTS[event](task, *steps)) == expected


def test_table_has_a_column_for_every_event() -> None:
    functions = [f for _, f in inspect.getmembers(lifecycle, inspect.isfunction)]
    changes = {f.__name__ for f in functions if "task" in inspect.signature(f).parameters}
    public = {name for name in changes if not name.startswith("_")} - {"create"}

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
