"""A plan becomes a task's name, steps and locks, in one transaction or not at all.

The functions give the task that follows; whoever calls them saves it.
"""

from functools import lru_cache

from taskd import wire
from taskd.catalog.catalog import Catalog
from taskd.engine.locking import Conflict, Wanted
from taskd.engine.sub_tasks import SUBSCRIBERS
from taskd.executors.base import Planned
from taskd.model import flow as flows
from taskd.model import lifecycle
from taskd.model.definition import Definition, Retry
from taskd.model.errors import TaskdError
from taskd.model.lock import exclusive
from taskd.model.record import replace
from taskd.model.step import FINALIZE, PLAN, Rescue, Step, StepError, StepKind, StepState
from taskd.model.task import MAX_NAME, Flow, OnConflict, Task
from taskd.model.template import fill, fill_lock
from taskd.store.transaction import Transaction


def plan_from_data(tx: Transaction, catalog: Catalog, task: Task, definition: Definition) -> Task:
    """Plan a task whose action needs no author code for it."""
    try:
        planned = Planned(
            fill(definition.title, task.input),
            definition.flow,
            tuple(fill_lock(text, task.input) for text in definition.locks),
        )
    except TaskdError as error:
        return _fail(tx, task, StepError(error.code, error.message), definition.rescue)
    return apply_plan(tx, catalog, task, definition, planned)


def apply_plan(
    tx: Transaction, catalog: Catalog, task: Task, definition: Definition, planned: Planned
) -> Task:
    """Take the locks and set the steps; or do what the task does when it cannot have them."""
    locks = (*planned.locks, *task.wanted_locks)
    if definition.singleton:
        locks += (exclusive(f"action:{definition.label}"),)
    return _carry_out(tx, catalog, task, definition, replace(planned, locks=locks))


def go_on(tx: Transaction, catalog: Catalog, task: Task, definition: Definition) -> Task:
    """A lock was released for which the task waits."""
    planned = wire.decode(Planned, task.steps[PLAN].kept)
    return _carry_out(tx, catalog, task, definition, planned)


def _carry_out(
    tx: Transaction, catalog: Catalog, task: Task, definition: Definition, planned: Planned
) -> Task:
    name = _name(task, planned)
    if planned.locks:
        wanted = Wanted(tx, task, planned.locks)
        if conflict := wanted.conflict(in_line=task.on_conflict is OnConflict.WAIT):
            return _yield(tx, replace(task, name=name), planned, wanted, conflict)
        task = wanted.take()
    flow = planned.flow
    if task.label in catalog.subscribers:
        flow = ["concurrence", SUBSCRIBERS, flow]  # first: the output is that of the last step
    return lifecycle.planned(task, name, flow, _steps(definition, flow), tx.now)


def _name(task: Task, planned: Planned) -> str:
    """One that was given stays."""
    if task.name != task.label:
        return task.name
    title = planned.name
    return title if len(title) <= MAX_NAME else f"{title[: MAX_NAME - 1]}…"


def _yield(
    tx: Transaction, task: Task, planned: Planned, wanted: Wanted, conflict: Conflict
) -> Task:
    """As the task, or else its action, says of conflicts."""
    task = _begun(tx, task)
    if task.cancelling:
        return lifecycle.cancelled(task, PLAN, tx.now)
    match task.on_conflict:
        case OnConflict.WAIT if not conflict.circle:
            if not task.waits_for_lock:
                wanted.wait()
                task = lifecycle.waits(task, wire.encode(planned), str(conflict), tx.now)
            return task
        case OnConflict.SKIP:
            return lifecycle.passed_over(task, str(conflict), tx.now)
        case _:
            return _fail(tx, task, _error(conflict), Rescue.PAUSE)


def _fail(tx: Transaction, task: Task, error: StepError, rescue: Rescue) -> Task:
    task = _begun(tx, task)
    return lifecycle.failed(task, PLAN, error, Retry(), rescue, tx.now)


def _begun(tx: Transaction, task: Task) -> Task:
    if task.steps[PLAN].state is StepState.PENDING:
        return lifecycle.begun(task, PLAN, None, tx.now)
    return task


def _steps(definition: Definition, flow: Flow) -> tuple[Step, ...]:
    return _steps_as_written(definition) if flow is definition.flow else _make(definition, flow)


@lru_cache(256)
def _steps_as_written(definition: Definition) -> tuple[Step, ...]:
    return _make(definition, definition.flow)


def _make(definition: Definition, flow: Flow) -> tuple[Step, ...]:
    names = flows.names(flow) if flow else []
    if definition.finalize:
        names.append(FINALIZE)
    return tuple(_make_step(definition, name, number) for number, name in enumerate(names, 1))


def _make_step(definition: Definition, name: str, number: int) -> Step:
    known = definition.step(name)
    return Step(
        name=name,
        kind=StepKind.FINALIZE if name == FINALIZE else StepKind.RUN,
        state=StepState.PENDING,
        number=number,
        needs=known.needs if known else (),
        weight=known.weight if known else 1.0,
    )


def _error(conflict: Conflict) -> StepError:
    """Only ids are stored: the text is made when it is read, and tells of the holder as it is."""
    lock = conflict.lock
    detail = {
        "resource": lock.resource,
        "operation": lock.operation,
        "holders": list(conflict.holders),
        "circle": list(conflict.circle),
        "top": conflict.top,
    }
    return StepError(kind="lock-conflict", message=f"{lock} is locked", detail=detail)
