"""A plan becomes a task's name, steps and locks, in one transaction or not at all.

The functions give the task that follows; whoever calls them saves it.
"""

from functools import lru_cache

from taskd.catalog.catalog import Catalog
from taskd.engine.family import ancestors
from taskd.engine.sub_tasks import SUBSCRIBERS
from taskd.executors.base import Planned
from taskd.model import flow as flows
from taskd.model import lifecycle
from taskd.model.definition import Definition, Retry
from taskd.model.errors import TaskdError
from taskd.model.lock import Lock, exclusive, link
from taskd.model.record import replace
from taskd.model.step import Rescue, Step, StepError, StepKind, StepState
from taskd.model.task import MAX_NAME, Flow, Task
from taskd.model.template import fill, fill_lock
from taskd.store import locks
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
    """Take the locks and set the steps; when a lock is held by another task, pause."""
    wanted = [*planned.locks, *task.wanted_locks]
    if definition.singleton:
        wanted.append(exclusive(f"action:{definition.label}"))
    title = planned.name if len(planned.name) <= MAX_NAME else f"{planned.name[: MAX_NAME - 1]}…"
    name = title if task.name == task.label else task.name  # one that was given stays
    task = replace(task, name=name)
    above = {each.id for each in ancestors(tx, task)}
    for number, lock in enumerate(wanted):
        holders = locks.conflicting(tx.connection, lock) if lock.exclusive else []
        if others := [holder for holder in holders if holder not in above and holder != task.id]:
            return _fail(tx, task, _conflict(lock, others), Rescue.PAUSE)
        if above.intersection(holders):
            wanted[number] = link(lock.resource)  # an ancestor holds it for both
    if wanted:
        locks.take(tx.write(), task.id, wanted, tx.now)
        task = replace(task, locks=tuple(lock for lock in wanted if lock.exclusive))
    flow = planned.flow
    if task.label in catalog.subscribers:
        flow = ["concurrence", SUBSCRIBERS, flow]  # first: the output is that of the last step
    return lifecycle.planned(task, name, flow, _steps(definition, flow), tx.now)


def _fail(tx: Transaction, task: Task, error: StepError, rescue: Rescue) -> Task:
    if task.steps[lifecycle.PLAN].state is not StepState.RUNNING:
        task = lifecycle.begun(task, lifecycle.PLAN, None, tx.now)
    return lifecycle.failed(task, lifecycle.PLAN, error, Retry(), rescue, tx.now)


def _steps(definition: Definition, flow: Flow) -> tuple[Step, ...]:
    return _steps_as_written(definition) if flow is definition.flow else _make(definition, flow)


@lru_cache(256)
def _steps_as_written(definition: Definition) -> tuple[Step, ...]:
    return _make(definition, definition.flow)


def _make(definition: Definition, flow: Flow) -> tuple[Step, ...]:
    names = flows.names(flow) if flow else []
    if definition.finalize:
        names.append(lifecycle.FINALIZE)
    return tuple(_make_step(definition, name, number) for number, name in enumerate(names, 1))


def _make_step(definition: Definition, name: str, number: int) -> Step:
    known = definition.step(name)
    return Step(
        name=name,
        kind=StepKind.FINALIZE if name == lifecycle.FINALIZE else StepKind.RUN,
        state=StepState.PENDING,
        number=number,
        needs=known.needs if known else (),
        weight=known.weight if known else 1.0,
    )


def _conflict(lock: Lock, holders: list[int]) -> StepError:
    """Only ids are stored: the text is made when it is read, and tells of the holder as it is."""
    detail = {"resource": lock.resource, "operation": lock.operation, "holders": holders}
    return StepError(kind="lock-conflict", message=f"{lock} is locked", detail=detail)
