"""The rules by which tasks and steps change state. Pure functions, no I/O; time is a parameter.

                                    resume
                              ┌──────────────┐
                              ▼              │
scheduled ─► planned ─► running ─► paused ─► stopped ─► planned, running   resume after unlock
                 │         ▲          │ ▲       ▲
                 │         └──────────┘ │       │
                 │        resume, skip  │       │
                 ├──────────────────────┘       │   a failed plan, a lock that is held
                 └──────────────────────────────┘   cancel, unlock, FAIL

A step:  pending ─► running ─► success | error | cancelled | pending (retry, never ran)
         running ─► suspended (a time, sub-tasks; of the plan: a lock) ─► running, success, …
         pending ─► skipped | cancelled       error ─► pending (resume) | skipped

Each function takes a task and gives the task that follows. Events for the history are appended to
`task.history`. How a task goes on then is decided in one place, `draft.py`.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from taskd.model.definition import Retry
from taskd.model.draft import Draft
from taskd.model.errors import InvalidState, NotFound
from taskd.model.record import replace
from taskd.model.step import JSON, PLAN, Rescue, Step, StepError, StepKind, StepState
from taskd.model.task import SYSTEM, Event, Flow, Result, State, Task

MAX_INTERRUPTIONS = 3

_PLAN_STEP = Step(name=PLAN, kind=StepKind.PLAN, state=StepState.PENDING, number=0, ready=True)


def create(task: Task, now: datetime, due_at: datetime | None = None) -> Task:
    """A new task with its plan step, which may start unless the task is scheduled.

    `due_at`: for when it is, if that is a time.
    """
    plan = _PLAN_STEP
    if task.state is State.SCHEDULED:
        plan = replace(plan, ready=False, due_at=due_at)
    return replace(task, steps={PLAN: plan}, history=(Event(now, "created", task.user),))


def released(task: Task, now: datetime) -> Task:
    """What it was scheduled for has come: scheduled → planned."""
    draft = Draft(task, now)
    draft.change(PLAN, due_at=None)
    draft.enter(State.PLANNED)
    return draft.settle()


def moved(task: Task, at: datetime | None, now: datetime) -> Task:
    """A scheduled task is to begin at another time; None: at none, for now."""
    draft = Draft(task, now)
    draft.change(PLAN, due_at=at)
    if at:
        draft.fields["start_at"] = at
    return draft.done()


def never_begins(task: Task, kind: str, why: str, now: datetime) -> Task:
    """None of its steps has begun, and none is to any more: → stopped, error."""
    draft = Draft(task, now)
    first = next(step for step in task.steps.values() if not step.finished)
    told = f"{why}; before: {first.error.reason}" if first.error else why
    error = StepError(kind, told, step=first.name, action=task.label)
    draft.change(first.name, state=StepState.ERROR, kept=None, ended_at=now, error=error)
    draft.change(first.name, ready=False, due_at=None)
    draft.cancel_pending()
    draft.note("not started", told)
    draft.stop(Result.ERROR)
    return draft.done()


# What an executor reports


def begun(task: Task, name: str, call_id: int | None, now: datetime) -> Task:
    """The step is given to an executor; it counts as running from here on."""
    step = task.steps[name]
    goes_on = step.state is StepState.SUSPENDED  # it is the same attempt
    steps = dict(task.steps)
    steps[name] = replace(
        step,
        state=StepState.RUNNING,
        ready=False,
        due_at=None,
        call_id=call_id,
        attempts=step.attempts if goes_on else step.attempts + 1,
        started_at=step.started_at if goes_on else now,
        ended_at=None,
        error=None,
    )
    changes: dict[str, object] = {"steps": steps, "started_at": task.started_at or now}
    if step.kind is not StepKind.PLAN and not _has_begun(task):
        history = (*task.history, Event(now, "started", SYSTEM))
        changes |= {"history": history, "expires_at": None}
    return replace(task, **changes)


def planned(task: Task, name: str, flow: Flow, steps: Iterable[Step], now: datetime) -> Task:
    """The plan succeeded: the task has its name, its steps and its locks."""
    draft = Draft(task, now)
    plan = draft.steps[PLAN]
    draft.change(
        PLAN,
        state=StepState.SUCCESS,
        ready=False,
        call_id=None,
        attempts=max(1, plan.attempts),
        progress=1.0,
        started_at=plan.started_at or now,
        ended_at=now,
        error=None,
        kept=None,
    )
    for step in steps:
        draft.steps[step.name] = step
    draft.flow = flow
    draft.enter(State.RUNNING)
    draft.fields |= {"name": name, "flow": flow, "started_at": task.started_at or now}
    draft.note("planned")
    return draft.settle()


def waits(task: Task, plan: JSON, why: str, now: datetime) -> Task:
    """The plan is made, and kept until the task has its locks."""
    draft = Draft(task, now)
    draft.suspend(PLAN, kept=plan)
    draft.note("waiting", why)
    return draft.settle()


def passed_over(task: Task, why: str, now: datetime) -> Task:
    """It cannot have its locks, and is not to wait for them: planned → stopped."""
    draft = Draft(task, now)
    draft.change(PLAN, state=StepState.CANCELLED, call_id=None, ended_at=now, note=why)
    draft.note("cancelled", why)
    draft.cancelling = True
    return draft.settle()


def succeeded(task: Task, name: str, output: JSON, now: datetime) -> Task:
    draft = Draft(task, now)
    draft.change(
        name,
        state=StepState.SUCCESS,
        output=output,
        call_id=None,
        interruptions=0,
        progress=1.0,
        ended_at=now,
    )
    return draft.settle()


def snoozed(task: Task, name: str, kept: JSON, until: datetime, now: datetime) -> Task:
    """The step has nothing to do until then, and no host waits with it."""
    draft = Draft(task, now)
    draft.suspend(name, due_at=until, kept=kept)
    return draft.settle()


def delegated(task: Task, name: str, now: datetime) -> Task:
    """The step waits for sub-tasks; how they end makes it `succeeded`, `failed` or `cancelled`."""
    draft = Draft(task, now)
    draft.suspend(name)
    return draft.settle()


def failed(
    task: Task, name: str, error: StepError, retry: Retry, rescue: Rescue, now: datetime
) -> Task:
    """Try again while `retry` allows it, then do what `rescue` says once nothing else can run."""
    draft = Draft(task, now)
    draft.change(name, interruptions=0)
    draft.fail(name, error, retry, rescue)
    return draft.settle()


def interrupted(
    task: Task, name: str, reason: str, idempotent: bool, rescue: Rescue, now: datetime
) -> Task:
    """Nobody knows how far the step got: run it again if it may be, else it is an error."""
    draft = Draft(task, now)
    count = draft.steps[name].interruptions + 1
    draft.change(name, interruptions=count)
    draft.note("step interrupted", f"{name}: {reason}")
    poison = idempotent and count >= MAX_INTERRUPTIONS
    if idempotent and not poison and not draft.ending:
        draft.put_back(name)
        return draft.settle()
    message = f"interrupted: {reason}; whether its work was done is unknown"
    if poison:
        message = f"poison: interrupted {count} times in a row; last: {reason}"
        rescue = Rescue.PAUSE
    draft.fail(name, StepError(kind="interrupted", message=message), Retry(), rescue)
    return draft.settle()


def cancelled(task: Task, name: str, now: datetime) -> Task:
    """The step ended because it was told to."""
    draft = Draft(task, now)
    draft.change(name, state=StepState.CANCELLED, call_id=None, ended_at=now)
    return draft.settle()


def killed(task: Task, name: str, now: datetime, *, seen: bool = True) -> Task:
    """The step was still at work, or sub-tasks of it, when its task was unlocked.

    `seen`: that has ended.
    """
    draft = Draft(task, now)
    draft.kill(name, "" if seen else ", but not seen to end")
    return draft.settle()


def never_ran(task: Task, name: str, now: datetime) -> Task:
    """The attempt does not count. What a polling step said of its progress before stays true."""
    draft = Draft(task, now)
    step = draft.steps[name]
    draft.put_back(name)
    attempts = max(0, step.attempts - 1)
    draft.change(name, attempts=attempts, progress=step.progress, note=step.note)
    return draft.settle()


def taken_up(task: Task, name: str, how: str, now: datetime) -> Task:
    """A daemon has found what became of a step that an earlier one had begun."""
    draft = Draft(task, now)
    draft.note("taken up again", f"{name}: {how}")
    return draft.done()


def ended_earlier(task: Task, name: str, ended_at: datetime, now: datetime) -> Task:
    """The step of which is heard now ended then, as its process says."""
    step = task.steps[name]
    if step.ended_at != now or step.started_at is None:
        return task
    ended_at = min(now, max(ended_at, step.started_at))  # the clock may have been set meanwhile
    return replace(task, steps=task.steps | {name: replace(step, ended_at=ended_at)})


def progressed(task: Task, name: str, fraction: float, note: str, now: datetime) -> Task:
    draft = Draft(task, now)
    draft.change(name, progress=min(1.0, max(0.0, fraction)), note=note)
    return draft.done()


def due(task: Task, name: str, now: datetime) -> Task:
    """The time of a step that waited for it has come. A scheduled task may wait for more."""
    draft = Draft(task, now)
    draft.change(name, due_at=None, ready=task.state is not State.SCHEDULED)
    return draft.done()


# What people ask for


def resume(task: Task, who: str, now: datetime) -> Task:
    """Paused, or stopped by unlock, → running; what failed starts afresh, finished steps are kept.

    Whoever calls this for a task that was unlocked has taken its locks again.
    """
    if not (task.state is State.PAUSED or (task.finished and task.resumable)):
        hint = f"it waits for a lock; taskctl show {task.id} --locks" if task.waits_for_lock else ""
        why = f"it is {task.state}, not paused"
        raise InvalidState(f"cannot resume task {task.id}: {why}", hint=hint)
    draft = Draft(task, now)
    for name, step in task.steps.items():
        if not step.finished:
            draft.put_back(name)
            draft.change(name, attempts=0, interruptions=0)
    draft.change(PLAN, kept=None)
    draft.enter(State.RUNNING if task.steps[PLAN].finished else State.PLANNED, Result.PENDING)
    draft.fields |= {"needed_help": True, "resumable": False, "ended_at": None, "output": None}
    draft.note("resumed", who=who)
    return draft.settle()


def skip(task: Task, names: Collection[str] | None, who: str, now: datetime) -> Task:
    """Leave out failed steps, all or `names`, with what needs their output.

    The task goes on when none that failed is left. Raises InvalidState or NotFound.
    """
    if task.state is not State.PAUSED:
        raise InvalidState(
            f"cannot skip steps of task {task.id}: it is {task.state}, not paused",
            hint=_way_back(task),
        )
    draft = Draft(task, now)
    failed = [step.name for step in draft.failures()]
    chosen = failed if names is None else names
    for name in chosen:
        _check_skip(task, name, failed)
    draft.skip(chosen, who)
    if draft.failures():
        return draft.done()
    draft.enter(State.RUNNING)
    return draft.settle()


def _way_back(task: Task) -> str:
    return f"it was unlocked; taskctl resume {task.id}" if task.resumable else ""


def _check_skip(task: Task, name: str, failed: list[str]) -> None:
    hint = f"what failed: {', '.join(failed)}"
    if name not in task.steps:
        raise NotFound(f"task {task.id} has no step {name!r}", hint=hint)
    if name not in failed:
        state = task.steps[name].state
        raise InvalidState(
            f"cannot skip step {name!r} of task {task.id}: it has not failed ({state})", hint=hint
        )
    if name == PLAN:
        raise InvalidState(
            f"cannot skip the plan of task {task.id}: without it there are no steps",
            hint=f"taskctl resume {task.id}, or taskctl cancel {task.id}",
        )


def cancel(
    task: Task,
    who: str,
    now: datetime,
    *,
    cancellable: bool = True,
    at_work: Iterable[str] = (),
) -> Task:
    """Stop at once what does not run; a running step is told, and the task stops when it ends.

    `at_work`: failed steps with a sub-task that runs, which have to be waited for.
    """
    if task.finished:
        raise InvalidState(
            f"cannot cancel task {task.id}: it is stopped ({task.result})", hint=_way_back(task)
        )
    if task.state is State.RUNNING and not cancellable and not task.cancelling:
        raise InvalidState(
            f"cannot cancel task {task.id}: {task.label} may not be cancelled while it runs",
            hint=f"taskctl wait {task.id}",
        )
    draft = Draft(task, now)
    if not task.cancelling:
        draft.note("cancelled", who=who)
    draft.cancelling = True
    draft.fields["cancelling"] = True
    draft.wait_for_tasks(at_work)
    return draft.settle()


def unlock(
    task: Task,
    who: str,
    now: datetime,
    *,
    force: bool = False,
    detail: str = "",
    kept: JSON = None,
    at_work: Iterable[str] = (),
) -> Task:
    """Stop a paused task or, by `force`, any. It may be resumed; `kept` is what its plan keeps.

    What runs of it, also in sub-tasks, is to be killed; it stops when that is reported by `killed`.
    `at_work`: as of `cancel`.
    """
    if task.finished:
        raise InvalidState(
            f"cannot unlock task {task.id}: it is stopped ({task.result})", hint=_way_back(task)
        )
    if task.state is not State.PAUSED and not force:
        raise InvalidState(
            f"cannot unlock task {task.id}: it is {task.state}, not paused",
            hint=f"taskctl cancel {task.id}; if that is no use, taskctl unlock --force {task.id}",
        )
    draft = Draft(task, now)
    draft.note("unlocked", detail, who)
    draft.unlocking = True
    draft.fields["resumable"] = True
    draft.change(PLAN, kept=kept)
    draft.wait_for_tasks(at_work)
    return draft.settle()


def _has_begun(task: Task) -> bool:
    return any(s.started_at for s in task.steps.values() if s.kind is not StepKind.PLAN)
