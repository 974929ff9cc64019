"""Whatever course a task takes, the rules hold: random plans, outcomes, crashes and people."""

from collections.abc import Iterator
from datetime import timedelta

from agreement import agree
from builders import NOW, a_new_task, a_step, an_error
from hypothesis import given, settings
from hypothesis import strategies as st
from random_plans import references
from reference import Reference, Spec

from taskd.model import lifecycle
from taskd.model.definition import Retry
from taskd.model.step import Rescue, Step, StepKind, StepState
from taskd.model.task import State

SECOND = timedelta(seconds=1)
LENGTH = 60  # events in a course
CANCELLED_FROM, UNLOCKED_FROM = 252, 246  # of a die of 256
GOOD = ("begun", "due", "planned", "succeeded", "killed", "resume")


class Course:
    """A task and its reference, to both of which the same happens."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.task = a_new_task()
        self.now = NOW

    def possible(self) -> Iterator[tuple[str, str]]:
        """Events, and to which step; "" is the task."""
        for name, step in self.task.steps.items():
            if step.ready:
                yield "begun", name
            if step.due_at:
                yield "due", name
            yield from ((event, name) for event in self._reports(step))
        if self.reference.ending and not self.task.finished:
            yield from (("cancel", ""), ("unlock", ""))
        if self.task.state is State.PAUSED or (self.task.finished and self.task.resumable):
            yield "resume", ""
        if self.task.state is State.PAUSED:
            failed = self.reference.all_in("error")
            yield "unlock", ""
            yield from (("skip", name) for name in ["", *failed] if failed != ["plan"])

    def _reports(self, step: Step) -> Iterator[str]:
        """What may be heard of a step that is at work, or that waits for others."""
        at_work, plan = step.state is StepState.RUNNING, step.kind is StepKind.PLAN
        unlocking, ending = self.task.unlocking, self.reference.ending
        if step.waits_for_lock:
            yield from ("planned", "failed")
        if at_work or step.waits_for_tasks:
            yield from ["planned" if plan else "succeeded"] * (not (plan and unlocking))
            yield from ("failed", "progressed")
            yield from ["cancelled"] * ending + ["killed"] * unlocking
        if at_work:
            yield from ("interrupted", "never_ran")
            yield from [] if plan else ["snoozed"]
        if at_work and not ending:
            yield from ("waits", "passed_over") if plan else ("delegated",)

    def happen(self, event: str, name: str) -> None:
        task, reference, now = self.task, self.reference, self.now + SECOND
        spec = reference.specs.get(name, Spec())
        match event:
            case "begun":
                self.task = lifecycle.begun(task, name, 7, now)
                reference.begun(name)
            case "planned":
                self.task = lifecycle.planned(task, "Demo", reference.flow, self._steps(), now)
                reference.succeeded(name)
            case "waits":
                self.task = lifecycle.waits(task, {"name": "Demo"}, "it is locked", now)
                reference.waits()
            case "passed_over":
                self.task = lifecycle.passed_over(task, "it is locked", now)
                reference.passed_over()
            case "succeeded":
                self.task = lifecycle.succeeded(task, name, name.upper(), now)
                reference.succeeded(name)
            case "snoozed":
                kept = (reference.kept[name] or 0) + 1
                self.task = lifecycle.snoozed(task, name, kept, now + SECOND, now)
                reference.snoozed(name, kept)
            case "delegated":
                self.task = lifecycle.delegated(task, name, now)
                reference.delegated(name)
            case "failed":
                retry, rescue = Retry(spec.retries, delay=1), Rescue(spec.rescue)
                self.task = lifecycle.failed(task, name, an_error(), retry, rescue, now)
                reference.failed(name)
            case "interrupted":
                again, rescue = spec.idempotent, Rescue(spec.rescue)
                self.task = lifecycle.interrupted(task, name, "killed", again, rescue, now)
                reference.interrupted(name)
            case "cancelled":
                self.task = lifecycle.cancelled(task, name, now)
                reference.cancelled(name)
            case "killed":
                self.task = lifecycle.killed(task, name, now)
                reference.killed(name)
            case "never_ran":
                self.task = lifecycle.never_ran(task, name, now)
                reference.never_ran(name)
            case "progressed":
                self.task = lifecycle.progressed(task, name, 0.4, "", now)
                reference.progressed(name, 0.4)
            case "due":
                self.task = lifecycle.due(task, name, now)
                reference.due(name)
            case "resume":
                self.task = lifecycle.resume(task, "ana", now)
                reference.resume()
            case "skip":
                self.task = lifecycle.skip(task, [name] if name else None, "ana", now)
                reference.skip([name] if name else reference.all_in("error"))
            case "cancel":
                self.task = lifecycle.cancel(task, "ana", now)
                reference.cancel()
            case "unlock":
                force = task.state is not State.PAUSED
                self.task = lifecycle.unlock(task, "ana", now, force=force)
                reference.unlock()
        self.now = now

    def _steps(self) -> list[Step]:
        kinds = {"finalize": StepKind.FINALIZE}
        return [
            a_step(
                name,
                number=number,
                kind=kinds.get(name, StepKind.RUN),
                needs=spec.needs,
                weight=spec.weight,
            )
            for number, (name, spec) in enumerate(self.reference.specs.items())
            if name != "plan"
        ]


@settings(max_examples=1000)
@given(references(), st.binary(min_size=LENGTH, max_size=LENGTH))
def test_task_does_what_the_reference_says(reference: Reference, dice: bytes) -> None:
    course = Course(reference)
    agree(course.task, course.reference)
    for die in dice:
        before = course.task.steps.values()
        if not (events := list(course.possible())):
            return
        course.happen(*by_force(course, die) or events[die % len(events)])
        agree(course.task, course.reference)
        assert all(course.task.steps[step.name] == step for step in before if step.finished)
    bring_to_its_end(course)


def by_force(course: Course, die: int) -> tuple[str, str] | None:
    """What may be asked for at any time."""
    if course.task.finished or die < UNLOCKED_FROM:
        return None
    return ("cancel" if die >= CANCELLED_FROM else "unlock"), ""


def bring_to_its_end(course: Course) -> None:
    """With some help, any task gets there."""
    for _ in range(LENGTH):
        if good := [event for event in course.possible() if event[0] in GOOD]:
            course.happen(*good[0])
            agree(course.task, course.reference)
    assert course.task.finished
    assert not course.task.resumable
