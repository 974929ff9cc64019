"""What an executor reports is applied: one function from an outcome to the task that follows."""

from taskd.catalog.catalog import Catalog
from taskd.engine import planning
from taskd.executors.base import (
    Cancelled,
    Failure,
    Interrupted,
    NeverRan,
    Outcome,
    Planned,
    Progress,
    Success,
)
from taskd.model import lifecycle
from taskd.model.definition import Retry, StepDefinition
from taskd.model.step import Rescue, StepKind
from taskd.model.task import Task
from taskd.store.transaction import Transaction


def apply(
    tx: Transaction,
    catalog: Catalog,
    task_id: int,
    name: str,
    call_id: int,
    outcome: Outcome | Progress,
) -> Task:
    """Unless the step has gone on meanwhile (another attempt, a force unlock): then nothing."""
    task = tx.get(task_id)
    step = task.steps[name]
    if step.call_id != call_id:
        return task
    definition = catalog.of(task)
    known = definition.step(name) if definition else None
    rescue = (known and known.rescue) or (definition.rescue if definition else Rescue.PAUSE)
    match outcome:
        case Success(output):
            task = lifecycle.succeeded(task, name, output, tx.now)
        case Planned() if definition:
            task = planning.apply_plan(tx, task, definition, outcome)
        case Failure(error):
            task = lifecycle.failed(task, name, error, _retry(known), rescue, tx.now)
        case Cancelled():
            task = lifecycle.cancelled(task, name, tx.now)
        case Interrupted(reason):
            again = step.kind is StepKind.PLAN or (known is not None and known.idempotent)
            task = lifecycle.interrupted(task, name, reason, again, rescue, tx.now)
        case Progress(fraction, note):
            task = lifecycle.progressed(task, name, fraction, note, tx.now)
        case NeverRan() | Planned():
            task = lifecycle.never_ran(task, name, tx.now)
    return tx.save(task)


def _retry(known: StepDefinition | None) -> Retry:
    return known.retry if known else Retry()
