"""Who goes on when a lock is released, and who cannot any more."""

from collections.abc import Iterator

import pytest
from builders import a_definition
from stage import Stage, a_stage

from taskd.executors.base import Call, Delegated, SubTask
from taskd.model.task import OnConflict, State


@pytest.fixture
def stage() -> Iterator[Stage]:
    waits = OnConflict.WAIT
    with a_stage(
        a_definition("demo", on_conflict=waits),
        a_definition("reads", locks=("site:blog/read",), on_conflict=waits),
        a_definition("changes", locks=("site:blog",), on_conflict=waits),
        a_definition("copies", locks=("site:shop", "disk:1"), on_conflict=waits),
    ) as made:
        yield made


def start(stage: Stage, *locks: str) -> Call:
    """A task that runs and holds these."""
    stage.start(locks=list(locks))
    return stage.next_call()


def delegate(stage: Stage, parent: Call, *labels: str) -> int:
    """The last of its sub-tasks."""
    stage.end(parent, Delegated(tuple(SubTask(label, {}) for label in labels), None))
    stage.settle()
    return stage.client.find().items[0].id


def state(stage: Stage, task_id: int) -> State:
    stage.settle()
    return stage.client.get(task_id).state


def test_what_is_released_at_once_goes_to_the_first_in_line(stage: Stage) -> None:
    holder = start(stage, "site:blog/write", "site:blog/read")
    first = delegate(stage, start(stage, "disk:1"), "reads")
    second = delegate(stage, start(stage, "disk:2"), "changes")

    stage.end(holder)

    assert [state(stage, first), state(stage, second)] == ["running", "planned"]


def test_who_leaves_the_line_lets_those_behind_him_go_on(stage: Stage) -> None:
    start(stage, "site:blog/write")
    first = stage.start("changes")
    second = stage.start("reads")

    before = state(stage, second.id)
    stage.client.cancel(first.id)

    assert [before, state(stage, second.id)] == ["planned", "running"]


def test_sub_tasks_want_in_turn_what_their_parent_has_for_another_operation(stage: Stage) -> None:
    last = delegate(stage, start(stage, "site:blog/write"), "reads", "reads")

    before = state(stage, last)
    stage.end(stage.next_call())

    assert [before, state(stage, last)] == ["planned", "running"]


def test_circle_is_found_at_once_also_behind_another_holder(stage: Stage) -> None:
    start(stage, "site:shop")
    parent = start(stage, "site:blog")
    delegate(stage, start(stage, "disk:1"), "changes")

    closing = delegate(stage, parent, "copies")

    assert state(stage, closing) == "paused"
