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
`task.history`. How a task goes on after a change is decided in one place: `_Draft.settle`.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from random import Random

from taskd.model import flow as flows
from taskd.model.definition import Retry
from taskd.model.errors import InvalidState, NotFound
from taskd.model.record import build, replace
from taskd.model.step import JSON, Rescue, Step, StepError, StepKind, StepState
from taskd.model.task import Event, Flow, Result, State, Task

PLAN = "plan"
FINALIZE = "finalize"
SYSTEM = "taskd"
MAX_INTERRUPTIONS = 3
MAX_DELAY = timedelta(days=365)  # between attempts

_PLAN_STEP = Step(name=PLAN, kind=StepKind.PLAN, state=StepState.PENDING, number=0, ready=True)
_AT_WORK = (StepState.RUNNING, StepState.SUSPENDED)


def create(task: Task, now: datetime) -> Task:
    """A new task with its plan step, which may start unless the task is scheduled."""
    plan = _PLAN_STEP if task.state is State.PLANNED else replace(_PLAN_STEP, ready=False)
    return replace(task, steps={PLAN: plan}, history=(Event(now, "created", task.user),))


def released(task: Task, now: datetime) -> Task:
    """What it was scheduled for has come: scheduled → planned."""
    draft = _Draft(task, now)
    draft.enter(State.PLANNED)
    return draft.settle()


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
    history = task.history
    if step.kind is not StepKind.PLAN and not _has_begun(task):
        history = (*history, Event(now, "started", SYSTEM))
    return replace(task, steps=steps, history=history, started_at=task.started_at or now)


def planned(task: Task, name: str, flow: Flow, steps: Iterable[Step], now: datetime) -> Task:
    """The plan succeeded: the task has its name, its steps and its locks."""
    draft = _Draft(task, now)
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
    draft = _Draft(task, now)
    draft.suspend(PLAN, kept=plan)
    draft.note("waiting", why)
    return draft.settle()


def passed_over(task: Task, why: str, now: datetime) -> Task:
    """It cannot have its locks, and is not to wait for them: planned → stopped."""
    draft = _Draft(task, now)
    draft.change(PLAN, state=StepState.CANCELLED, call_id=None, ended_at=now, note=why)
    draft.note("cancelled", why)
    draft.cancelling = True
    return draft.settle()


def succeeded(task: Task, name: str, output: JSON, now: datetime) -> Task:
    draft = _Draft(task, now)
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
    draft = _Draft(task, now)
    draft.suspend(name, due_at=until, kept=kept)
    return draft.settle()


def delegated(task: Task, name: str, now: datetime) -> Task:
    """The step waits for sub-tasks; how they end makes it `succeeded`, `failed` or `cancelled`."""
    draft = _Draft(task, now)
    draft.suspend(name)
    return draft.settle()


def failed(
    task: Task, name: str, error: StepError, retry: Retry, rescue: Rescue, now: datetime
) -> Task:
    """Try again while `retry` allows it, then do what `rescue` says once nothing else can run."""
    draft = _Draft(task, now)
    draft.change(name, interruptions=0)
    draft.fail(name, error, retry, rescue)
    return draft.settle()


def interrupted(
    task: Task, name: str, reason: str, idempotent: bool, rescue: Rescue, now: datetime
) -> Task:
    """Nobody knows how far the step got: run it again if it may be, else it is an error."""
    draft = _Draft(task, now)
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
    draft = _Draft(task, now)
    draft.change(name, state=StepState.CANCELLED, call_id=None, ended_at=now)
    return draft.settle()


def killed(task: Task, name: str, now: datetime, *, seen: bool = True) -> Task:
    """The step was still at work, or sub-tasks of it, when its task was unlocked.

    `seen`: that has ended.
    """
    draft = _Draft(task, now)
    draft.kill(name, "" if seen else ", but not seen to end")
    return draft.settle()


def never_ran(task: Task, name: str, now: datetime) -> Task:
    """The attempt does not count."""
    draft = _Draft(task, now)
    draft.put_back(name)
    draft.change(name, attempts=max(0, draft.steps[name].attempts - 1))
    return draft.settle()


def taken_up(task: Task, name: str, how: str, now: datetime) -> Task:
    """A daemon has found what became of a step that an earlier one had begun."""
    draft = _Draft(task, now)
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
    draft = _Draft(task, now)
    draft.change(name, progress=min(1.0, max(0.0, fraction)), note=note)
    return draft.done()


def due(task: Task, name: str, now: datetime) -> Task:
    """The time of a step that waited for it has come."""
    draft = _Draft(task, now)
    draft.change(name, due_at=None, ready=True)
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
    draft = _Draft(task, now)
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
    draft = _Draft(task, now)
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
    draft = _Draft(task, now)
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
    draft = _Draft(task, now)
    draft.note("unlocked", detail, who)
    draft.unlocking = True
    draft.fields["resumable"] = True
    draft.change(PLAN, kept=kept)
    draft.wait_for_tasks(at_work)
    return draft.settle()


class _Draft:
    """A task that is being changed: what becomes of it is made in one go by `done`."""

    def __init__(self, task: Task, now: datetime) -> None:
        self.task = task
        self.now = now
        self.steps = dict(task.steps)
        self.state = task.state
        self.flow = task.flow
        self.cancelling = task.cancelling
        self.unlocking = task.unlocking
        self.fields: dict[str, object] = {}
        self.events: list[Event] = []

    def done(self) -> Task:
        return replace(
            self.task,
            steps=self.steps,
            history=(*self.task.history, *self.events) if self.events else self.task.history,
            progress=progress(self.steps.values(), self.state),
            **self.fields,
        )

    def change(self, name: str, **changes: object) -> None:
        self.steps[name] = replace(self.steps[name], **changes)

    def note(self, event: str, detail: str = "", who: str = SYSTEM) -> None:
        self.events.append(build(Event, at=self.now, event=event, who=who, detail=detail))

    def enter(self, state: State, result: Result = Result.PENDING) -> None:
        self.state = state
        self.fields |= {"state": state, "result": result, "state_updated_at": self.now}

    def suspend(self, name: str, **changes: object) -> None:
        self.change(name, state=StepState.SUSPENDED, call_id=None, interruptions=0, **changes)

    def wait_for_tasks(self, names: Iterable[str]) -> None:
        """A paused task has them: it does not rest until they have ended."""
        for name in names:
            self.change(name, state=StepState.SUSPENDED, ended_at=None)
            self.enter(State.RUNNING)

    def put_back(self, name: str) -> None:
        """To be begun again, from its beginning."""
        self.change(
            name,
            state=StepState.PENDING,
            ready=False,
            call_id=None,
            due_at=None,
            ended_at=None,
            progress=0.0,
            note="",
        )

    def kill(self, name: str, more: str = "") -> None:
        self.fail(name, StepError("unlocked", f"killed by unlock{more}"), Retry(), Rescue.PAUSE)

    def fail(self, name: str, error: StepError, retry: Retry, rescue: Rescue) -> None:
        step = self.steps[name]
        error = replace(error, step=name, action=self.task.label)
        told = f"{name}: {error.reason}"
        self.change(name, call_id=None, ready=False, due_at=None, ended_at=self.now, error=error)
        if step.attempts <= retry.times and not self.ending:
            self.put_back(name)
            self.change(name, due_at=self.now + self._delay(retry, step))
            self.note("step retried", told)
            return
        if step.kind is StepKind.PLAN and rescue is Rescue.SKIP:
            rescue = Rescue.PAUSE
        self.change(name, state=StepState.ERROR, rescue=rescue)
        self.note("step failed", told)

    def _delay(self, retry: Retry, step: Step) -> timedelta:
        """How long after this attempt the next one is made; tasks differ in their jitter."""
        try:
            delay = timedelta(seconds=retry.delay * retry.factor ** (step.attempts - 1))
            if retry.jitter:
                dice = Random(f"{self.task.id} {step.name} {step.attempts}")
                delay *= max(0.0, 1 + dice.uniform(-retry.jitter, retry.jitter))
            return min(MAX_DELAY, delay)
        except (OverflowError, ValueError):  # more than a float or a timedelta holds, or no number
            return MAX_DELAY

    @property
    def ending(self) -> bool:
        """No step of it begins any more."""
        return self.cancelling or self.unlocking

    def cancel_pending(self) -> None:
        for name, step in self.steps.items():
            waits = step.waits_for_time or step.waits_for_lock
            if waits or step.state is StepState.PENDING:
                self.change(name, state=StepState.CANCELLED, ready=False, due_at=None)
                self.change(name, ended_at=self.now if waits else None)

    def kill_waiting(self) -> None:
        """What is pending stays so, for a resume."""
        for name, step in self.steps.items():
            if step.state is StepState.PENDING:
                self.change(name, ready=False, due_at=None)
            elif step.waits_for_time or step.waits_for_lock:
                self.kill(name)

    def failures(self) -> list[Step]:
        return [step for step in self.steps.values() if step.state is StepState.ERROR]

    def skip(self, failed: Iterable[str], who: str = SYSTEM) -> None:
        """The failed steps and, transitively, what needs their output."""
        skipped = set(failed)
        for step in self.steps.values():
            if skipped.intersection(step.needs) and not step.finished:
                skipped.add(step.name)
        names = [name for name in self.steps if name in skipped]
        for name in names:
            self.change(name, state=StepState.SKIPPED, ready=False)
        self.note("skipped", ", ".join(names), who)

    def settle(self) -> Task:
        """Mark what may start next; when nothing can, pause or stop the task."""
        if self.unlocking:
            self.kill_waiting()
        elif self.cancelling:
            self.cancel_pending()
        while not self._mark_ready() and not self._is_active():
            failures = self.failures()
            if self.unlocking:
                self._stop(Result.ERROR)
            elif self.cancelling:
                self._stop(self._good_end() if self._all_finished() else Result.CANCELLED)
            elif not failures:
                self._stop(self._good_end())
            elif all(step.rescue is Rescue.SKIP for step in failures):
                self.skip([step.name for step in failures])
                continue
            elif all(step.rescue is Rescue.FAIL for step in failures):
                self.cancel_pending()
                self._stop(Result.ERROR)
            else:
                self._rest(State.PAUSED, Result.ERROR)
            break
        return self.done()

    def _is_active(self) -> bool:
        for step in self.steps.values():
            if step.ready or step.due_at or step.state in _AT_WORK:
                return True
        return False

    def _mark_ready(self) -> bool:
        """Whether there was something to mark."""
        if self.ending or self.state not in (State.PLANNED, State.RUNNING):
            return False
        marked = False
        for name in self._next():
            step = self.steps[name]
            if not step.ready and not step.due_at:
                self.steps[name] = replace(step, ready=True)
                marked = True
        return marked

    def _next(self) -> list[str]:
        plan = self.steps[PLAN]
        if not plan.finished:
            return [PLAN] if plan.state is StepState.PENDING else []
        if self.flow and (names := flows.ready(self.flow, self.steps)):
            return names
        last = self.steps.get(FINALIZE)
        if last and last.state is StepState.PENDING and self._all_run():
            return [FINALIZE]
        return []

    def _all_run(self) -> bool:
        return all(s.finished for s in self.steps.values() if s.kind is StepKind.RUN)

    def _all_finished(self) -> bool:
        return all(step.finished for step in self.steps.values())

    def _good_end(self) -> Result:
        needed_help = self.fields.get("needed_help", self.task.needed_help)
        if needed_help or any(s.state is StepState.SKIPPED for s in self.steps.values()):
            return Result.WARNING
        return Result.SUCCESS

    def _stop(self, result: Result) -> None:
        outputs = [s.output for s in self.steps.values() if s.state is StepState.SUCCESS]
        output = outputs[-1] if outputs else None
        self.fields |= {"ended_at": self.now, "cancelling": False, "output": output}
        self._rest(State.STOPPED, result)

    def _rest(self, state: State, result: Result) -> None:
        self.enter(state, result)
        self.note(str(state), str(result))


def _has_begun(task: Task) -> bool:
    return any(s.started_at for s in task.steps.values() if s.kind is not StepKind.PLAN)


def progress(steps: Iterable[Step], state: State) -> float:
    """Σ(done·weight)/Σ(weight) over the run steps and finalize."""
    total = done = 0.0
    for step in steps:
        if step.kind is not StepKind.PLAN:
            weight = step.weight
            total += weight
            if step.finished:
                done += weight
            elif step.progress:
                done += weight * step.progress
    if total:
        return done / total
    return 1.0 if state is State.STOPPED else 0.0
