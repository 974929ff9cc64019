"""What an executor reports is applied: one function from an outcome to the task that follows."""

from datetime import datetime, timedelta

from taskd.engine import planning
from taskd.engine.sub_tasks import SubTasks
from taskd.executors.base import (
    Cancelled,
    Delegated,
    Failure,
    Interrupted,
    NeverRan,
    Outcome,
    Planned,
    Progress,
    Snoozed,
    Success,
)
from taskd.model import lifecycle
from taskd.model.definition import Retry, StepDefinition
from taskd.model.record import replace
from taskd.model.step import Rescue, Step, StepKind
from taskd.model.task import Task
from taskd.store.transaction import Transaction


def apply(
    tx: Transaction,
    sub_tasks: SubTasks,
    task_id: int,
    name: str,
    call_id: int,
    outcome: Outcome | Progress,
    ended_at: datetime | None = None,
) -> Task:
    """Unless the step has gone on meanwhile (another attempt, a force unlock): then nothing.

    `ended_at`: when it ended, where that was not now.
    """
    task = tx.get(task_id)
    step = task.steps[name]
    if step.call_id != call_id:
        return task
    definition = sub_tasks.catalog.of(task)
    known = definition.step(name) if definition else None
    rescue = definition.rescue_of(name) if definition else Rescue.PAUSE
    if task.unlocking and not isinstance(outcome, Success | Snoozed | NeverRan | Progress):
        return tx.save(lifecycle.killed(task, name, tx.now))
    match outcome:
        case Success(output):
            task = lifecycle.succeeded(task, name, output, tx.now)
        case Planned() if definition:
            task = planning.apply_plan(tx, sub_tasks.catalog, task, definition, outcome)
        case Snoozed(seconds, kept):
            until = _until(step, known, tx.now + timedelta(seconds=seconds))
            task = lifecycle.snoozed(task, name, kept, until, tx.now)
        case Delegated():
            task = sub_tasks.start(tx, task, name, outcome)
        case Failure(error):
            task = lifecycle.failed(task, name, error, _retry(known), rescue, tx.now)
        case Cancelled():
            task = lifecycle.cancelled(task, name, tx.now)
        case Interrupted(reason):
            again = step.kind is StepKind.PLAN or (known is not None and known.idempotent)
            task = lifecycle.interrupted(task, name, reason, again, rescue, tx.now)
        case Progress(None, _, external_id):
            task = replace(task, external_id=external_id)
        case Progress(float(fraction), note):
            task = lifecycle.progressed(task, name, fraction, note, tx.now)
        case NeverRan() | Planned():
            task = lifecycle.never_ran(task, name, tx.now)
    if ended_at:
        task = lifecycle.ended_earlier(task, name, ended_at, tx.now)
    return tx.save(task)


def _until(step: Step, known: StepDefinition | None, wanted: datetime) -> datetime:
    """No later than the end of the step's time."""
    if known is None or known.timeout is None or step.started_at is None:
        return wanted
    return min(wanted, step.started_at + timedelta(seconds=known.timeout))


def _retry(known: StepDefinition | None) -> Retry:
    return known.retry if known else Retry()
