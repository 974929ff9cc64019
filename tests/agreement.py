"""Whether a task is what the reference says: its state, its steps, and how its history reads."""

import re

import pytest
from reference import Reference

from taskd.model.step import Step, StepKind, StepState
from taskd.model.task import Task

# How a history reads, a letter an event. After a pause comes a person; after cancelling no more
# begins, and what still runs may fail; who is unlocked may be resumed when he has stopped. What
# a new daemon takes up again goes on as if nothing had been.
LETTERS = {
    "created": "c", "planned": "p", "started": "s", "step failed": "f", "step retried": "r",
    "step interrupted": "i", "paused": "z", "resumed": "m", "skipped": "k", "cancelled": "x",
    "waiting": "w", "unlocked": "u", "stopped": ".", "taken up again": "",
}  # fmt: skip
UNLOCKING = "(zk*|x[fi]*)?u[fiux]*"
RESUMED = rf"(zk*m|{UNLOCKING}\.m)"
PLANNING, IDLE, WORKING = rf"([fiw]|{RESUMED})*", f"({RESUMED})*", rf"([rfik]|zk+|{RESUMED})*"
ENDING = rf"((zk*)?(x[fi]*p?)?|{UNLOCKING})\.?"
STORY = re.compile(rf"c{PLANNING}(p{IDLE}(s{WORKING})?)?{ENDING}")


def agree(task: Task, reference: Reference) -> None:
    """The task is what the reference says, and as every task has to be."""
    steps = task.steps.values()
    known = {step.name: state_of(step) for step in steps}
    kept = {step.name: step.kept for step in steps if step.kind is not StepKind.PLAN}
    at_work = [s for s in steps if s.ready or s.due_at or s.state in ("running", "suspended")]

    assert (task.state, task.result) == (reference.state, reference.result)
    assert known == {name: reference.steps[name] for name in known}
    assert [step.name for step in steps if step.ready] == reference.can_begin()
    assert kept == {name: reference.kept[name] for name in kept}
    assert {step.name: step.attempts for step in steps} == {n: reference.tries[n] for n in known}
    assert task.resting != bool(at_work)
    assert task.resumable == reference.unlocked
    assert task.progress == pytest.approx(reference.progress())
    assert 0.0 <= task.progress <= 1.0
    assert task.progress == 1.0 or task.result not in ("success", "warning")
    assert bool(task.ended_at) == task.finished
    assert STORY.fullmatch("".join(LETTERS[event.event] for event in task.history))
    assert [e.at for e in task.history] == sorted(e.at for e in task.history)


def state_of(step: Step) -> str:
    """As the reference has it."""
    if step.state is StepState.SUSPENDED:
        if step.kind is StepKind.PLAN:
            return "in line"
        return "snoozing" if step.due_at else "awake" if step.ready else "delegating"
    return "waiting" if step.due_at else str(step.state)
