"""What becomes of a plan: name, steps and locks, or what the task does when it has not got them."""

from collections.abc import Iterator

import pytest
from builders import a_definition
from stage import Stage, a_stage

from taskd.engine import family
from taskd.executors.base import Planned
from taskd.model.lock import exclusive
from taskd.model.task import OnConflict, Result, State
from taskd.store import claims, tasks

BLOG = exclusive("site:blog")


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Its action is planned by its author's code, which the test plays."""
    with a_stage(a_definition(planner="host")) as stage:
        yield stage


@pytest.mark.parametrize("choice", OnConflict)
def test_task_that_is_cancelled_while_it_is_planned_waits_for_no_lock(
    stage: Stage, choice: OnConflict
) -> None:
    stage.start()
    plan = Planned("Demo", ["sequence", "work"], (BLOG,))
    stage.end(stage.next_call(), plan)
    stage.next_call()
    task = stage.start(on_conflict=choice)
    call = stage.next_call()
    stage.director.do(lambda tx: family.cancel(tx, stage.starter.catalog, tx.get(task.id), "ana"))

    stage.end(call, plan)

    stage.settle()
    with stage.database.snapshot() as snapshot:
        found, line = tasks.get_full(snapshot, task.id), claims.find(snapshot, BLOG.resource)
    assert (found.state, found.result) == (State.STOPPED, Result.CANCELLED)
    assert (found.errors, [claim.task_id for claim in line]) == ((), [1])
