"""A task while it changes, and how it goes on after a change: the one place that decides it.

What may start next is marked ready. When nothing can, and nothing is at work, the task pauses or
stops, by the rescue of what failed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random

from taskd.model import flow as flows
from taskd.model.definition import Retry
from taskd.model.record import build, replace
from taskd.model.step import FINALIZE, PLAN, Rescue, Step, StepError, StepKind, StepState
from taskd.model.task import SYSTEM, Event, Result, State, Task

MAX_DELAY = timedelta(days=365)  # between attempts

_AT_WORK = (StepState.RUNNING, StepState.SUSPENDED)


class Draft:
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
                self.stop(Result.ERROR)
            elif self.cancelling:
                self.stop(self._good_end() if self._all_finished() else Result.CANCELLED)
            elif not failures:
                self.stop(self._good_end())
            elif all(step.rescue is Rescue.SKIP for step in failures):
                self.skip([step.name for step in failures])
                continue
            elif all(step.rescue is Rescue.FAIL for step in failures):
                self.cancel_pending()
                self.stop(Result.ERROR)
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

    def stop(self, result: Result) -> None:
        outputs = [s.output for s in self.steps.values() if s.state is StepState.SUCCESS]
        output = outputs[-1] if outputs else None
        self.fields |= {"ended_at": self.now, "cancelling": False, "output": output}
        self.fields["expires_at"] = None
        self._rest(State.STOPPED, result)

    def _rest(self, state: State, result: Result) -> None:
        self.enter(state, result)
        self.note(str(state), str(result))


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
