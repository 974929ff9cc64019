"""The rules by which tasks and steps change state. Pure functions, no I/O; time is a parameter.

                                    resume
                              ┌──────────────┐
                              ▼              │
scheduled ─► planned ─► running ─► paused ─► stopped
                 │         ▲          │ ▲       ▲
                 │         └──────────┘ │       │
                 │           resume     │       │
                 ├──────────────────────┘       │   a failed plan, a lock that is held
                 └──────────────────────────────┘   cancel, unlock, FAIL

A step:  pending ─► running ─► success | error | cancelled | pending (retry, never ran)
         pending ─► skipped | cancelled       error ─► pending (resume) | skipped

Each function takes a task and gives the task that follows. Events for the history are appended to
`task.history`; `_settle` looks what may start next, and whether anything can.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from taskd.model import flow as flows
from taskd.model.definition import Retry
from taskd.model.errors import InvalidState
from taskd.model.record import replace
from taskd.model.step import JSON, Rescue, Step, StepError, StepKind, StepState
from taskd.model.task import Event, Flow, Result, State, Task

PLAN = "plan"
FINALIZE = "finalize"
SYSTEM = "taskd"
MAX_INTERRUPTIONS = 3


def plan_step() -> Step:
    return Step(name=PLAN, kind=StepKind.PLAN, state=StepState.PENDING, number=0, ready=True)


# What an executor reports


def begun(task: Task, name: str, call_id: int | None, now: datetime) -> Task:
    """The step is given to an executor; it counts as running from here on."""
    step = task.steps[name]
    if task.started_at is None:
        task = replace(task, started_at=now)
    if step.kind is StepKind.RUN and not _has_begun(task):
        task = _note(task, now, "started")
    return _with(
        task,
        replace(
            step,
            state=StepState.RUNNING,
            ready=False,
            due_at=None,
            call_id=call_id,
            attempts=step.attempts + 1,
            started_at=now,
            ended_at=None,
            error=None,
        ),
    )


def planned(task: Task, name: str, flow: Flow, steps: Iterable[Step], now: datetime) -> Task:
    """The plan succeeded: the task has its name, its steps and its locks."""
    plan = replace(
        task.steps[PLAN],
        state=StepState.SUCCESS,
        ready=False,
        call_id=None,
        attempts=max(1, task.steps[PLAN].attempts),
        started_at=task.steps[PLAN].started_at or now,
        ended_at=now,
        error=None,
    )
    task = replace(
        task,
        name=name,
        flow=flow,
        steps={PLAN: plan} | {step.name: step for step in steps},
        state=State.RUNNING,
        started_at=task.started_at or now,
        state_updated_at=now,
    )
    return _settle(_note(task, now, "planned"), now)


def succeeded(task: Task, name: str, output: JSON, now: datetime) -> Task:
    step = replace(
        task.steps[name],
        state=StepState.SUCCESS,
        output=output,
        call_id=None,
        interruptions=0,
        progress=1.0,
        ended_at=now,
    )
    return _settle(_with(task, step), now)


def failed(
    task: Task, name: str, error: StepError, retry: Retry, rescue: Rescue, now: datetime
) -> Task:
    """Try again while `retry` allows it, then do what `rescue` says once nothing else can run."""
    step = replace(task.steps[name], call_id=None, ready=False, ended_at=now, error=error)
    if step.attempts <= retry.times and not task.cancelling:
        delay = retry.delay * retry.factor ** max(0, step.attempts - 1)
        step = replace(step, state=StepState.PENDING, due_at=now + timedelta(seconds=delay))
        task = _note(task, now, "step retried", f"{name}: {error.message}")
        return _settle(_with(task, step), now)
    if step.kind is StepKind.PLAN and rescue is Rescue.SKIP:
        rescue = Rescue.PAUSE
    step = replace(step, state=StepState.ERROR, rescue=rescue)
    task = _note(task, now, "step failed", f"{name}: {error.message}")
    return _settle(_with(task, step), now)


def interrupted(
    task: Task, name: str, reason: str, idempotent: bool, rescue: Rescue, now: datetime
) -> Task:
    """Nobody knows how far the step got: run it again if it may be, else it is an error."""
    step = replace(task.steps[name], interruptions=task.steps[name].interruptions + 1)
    task = _note(_with(task, step), now, "step interrupted", f"{name}: {reason}")
    if idempotent and step.interruptions < MAX_INTERRUPTIONS and not task.cancelling:
        return _settle(_with(task, _again(step)), now)
    message = f"interrupted: {reason}; whether its work was done is unknown"
    if idempotent:
        message = f"poison: interrupted {step.interruptions} times in a row; last: {reason}"
        rescue = Rescue.PAUSE
    error = StepError(kind="interrupted", message=message, step=name, action=task.label)
    return failed(task, name, error, Retry(), rescue, now)


def cancelled(task: Task, name: str, now: datetime) -> Task:
    """The step ended because it was told to."""
    step = replace(task.steps[name], state=StepState.CANCELLED, call_id=None, ended_at=now)
    return _settle(_with(task, step), now)


def never_ran(task: Task, name: str, now: datetime) -> Task:
    """The attempt does not count."""
    step = task.steps[name]
    step = replace(_again(step), attempts=max(0, step.attempts - 1))
    return _settle(_with(task, step), now)


def progressed(task: Task, name: str, fraction: float, note: str) -> Task:
    step = task.steps[name]
    if step.state is not StepState.RUNNING:
        return task
    return _with(task, replace(step, progress=min(1.0, max(0.0, fraction)), note=note))


def due(task: Task, name: str) -> Task:
    """The time of a step that waited for it has come."""
    return _with(task, replace(task.steps[name], due_at=None, ready=True))


# What people ask for


def resume(task: Task, who: str, now: datetime) -> Task:
    """Paused → running; the failed steps start afresh, finished ones are kept."""
    if task.state is not State.PAUSED and not task.resumable:
        raise InvalidState(f"cannot resume task {task.id}: it is {task.state}, not paused")
    steps = {
        name: replace(_again(step), attempts=0, interruptions=0, progress=0.0, note="")
        if step.state is StepState.ERROR
        else step
        for name, step in task.steps.items()
    }
    planning = task.steps[PLAN].state is StepState.ERROR
    task = replace(
        task,
        steps=steps,
        state=State.PLANNED if planning else State.RUNNING,
        result=Result.PENDING,
        needed_help=True,
        resumable=False,
        ended_at=None,
        state_updated_at=now,
    )
    return _settle(_note(task, now, "resumed", who=who), now)


def cancel(task: Task, who: str, now: datetime, *, cancellable: bool = True) -> Task:
    """Stop at once what does not run; a running step is told, and the task stops when it ends."""
    if task.finished:
        raise InvalidState(f"cannot cancel task {task.id}: it is stopped ({task.result})")
    if task.state is State.RUNNING and not cancellable:
        raise InvalidState(
            f"cannot cancel task {task.id}: {task.label} may not be cancelled while it runs",
            hint=f"taskctl wait {task.id}",
        )
    if not task.cancelling:
        task = _note(task, now, "cancelled", who=who)
    steps = {
        name: replace(step, state=StepState.CANCELLED, ready=False, due_at=None)
        if step.state in (StepState.PENDING, StepState.SUSPENDED)
        else step
        for name, step in task.steps.items()
    }
    return _settle(replace(task, steps=steps, cancelling=True), now)


def create(task: Task, now: datetime) -> Task:
    """A new task with its plan step."""
    task = replace(task, steps={PLAN: plan_step()})
    return _note(task, now, "created", who=task.user)


def progress(task: Task) -> float:
    """Σ(done·weight)/Σ(weight) over the run steps and finalize."""
    total = done = 0.0
    for step in task.steps.values():
        if step.kind is not StepKind.PLAN:
            total += step.weight
            done += step.weight * (1.0 if step.finished else step.progress)
    if total:
        return done / total
    return 1.0 if task.finished else 0.0


# How it goes on


def _settle(task: Task, now: datetime) -> Task:
    """Mark what may start next; when nothing can, pause or stop the task."""
    while True:
        task = _mark_ready(task)
        steps = task.steps.values()
        if any(s.ready or s.due_at or s.state in _AT_WORK for s in steps):
            return task
        failures = [s for s in steps if s.state is StepState.ERROR]
        if task.cancelling:
            return _stop(_cancel_pending(task), _result_when_cancelled(task), now)
        if not failures:
            return _stop(task, Result.WARNING if _needed_help(task) else Result.SUCCESS, now)
        if all(s.rescue is Rescue.SKIP for s in failures):
            task = _skip(task, failures, now)
        elif all(s.rescue is Rescue.FAIL for s in failures):
            return _stop(_cancel_pending(task), Result.ERROR, now)
        else:
            return _rest(task, State.PAUSED, Result.ERROR, now)


_AT_WORK = (StepState.RUNNING, StepState.SUSPENDED)


def _mark_ready(task: Task) -> Task:
    if task.cancelling or task.state not in (State.PLANNED, State.RUNNING):
        return task
    steps = task.steps
    if not steps[PLAN].finished:
        names = [PLAN] if steps[PLAN].state is StepState.PENDING else []
    else:
        names = flows.ready(task.flow, steps) if task.flow else []
        last = steps.get(FINALIZE)
        if last and last.state is StepState.PENDING and _all_run(task):
            names = [FINALIZE]
    fresh = {
        name: replace(steps[name], ready=True)
        for name in names
        if not steps[name].ready and not steps[name].due_at
    }
    return replace(task, steps=steps | fresh) if fresh else task


def _all_run(task: Task) -> bool:
    return all(s.finished for s in task.steps.values() if s.kind is StepKind.RUN)


def _skip(task: Task, failures: list[Step], now: datetime) -> Task:
    """The failed steps and, transitively, what needs their output."""
    skipped = {step.name for step in failures}
    for step in task.steps.values():
        if skipped.intersection(step.needs) and not step.finished:
            skipped.add(step.name)
    steps = {
        name: replace(step, state=StepState.SKIPPED, ready=False) if name in skipped else step
        for name, step in task.steps.items()
    }
    names = ", ".join(name for name in steps if name in skipped)
    return _note(replace(task, steps=steps), now, "skipped", names)


def _cancel_pending(task: Task) -> Task:
    steps = {
        name: replace(s, state=StepState.CANCELLED) if s.state is StepState.PENDING else s
        for name, s in task.steps.items()
    }
    return replace(task, steps=steps)


def _result_when_cancelled(task: Task) -> Result:
    if all(step.finished for step in task.steps.values()):
        return Result.WARNING if _needed_help(task) else Result.SUCCESS
    return Result.CANCELLED


def _needed_help(task: Task) -> bool:
    return task.needed_help or any(s.state is StepState.SKIPPED for s in task.steps.values())


def _stop(task: Task, result: Result, now: datetime) -> Task:
    outputs = [s.output for s in task.steps.values() if s.state is StepState.SUCCESS]
    task = replace(task, ended_at=now, cancelling=False, output=outputs[-1] if outputs else None)
    return _rest(task, State.STOPPED, result, now)


def _rest(task: Task, state: State, result: Result, now: datetime) -> Task:
    task = replace(task, state=state, result=result, state_updated_at=now)
    return _note(task, now, str(state), str(result))


def _again(step: Step) -> Step:
    return replace(
        step, state=StepState.PENDING, ready=False, call_id=None, due_at=None, ended_at=None
    )


def _has_begun(task: Task) -> bool:
    return any(s.started_at for s in task.steps.values() if s.kind is not StepKind.PLAN)


def _with(task: Task, step: Step) -> Task:
    steps = dict(task.steps)
    steps[step.name] = step
    return replace(task, steps=steps)


def _note(task: Task, now: datetime, event: str, detail: str = "", who: str = SYSTEM) -> Task:
    return replace(task, history=(*task.history, Event(now, event, who, detail)))
