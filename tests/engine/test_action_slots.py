"""Labels that have slots of their own: so many of their steps run at a time, and others go on."""

from collections.abc import Iterator

import pytest
from builders import a_definition, an_error
from stage import Stage, a_stage

from taskd.executors.base import Call, Failure, NeverRan, Success
from taskd.settings import Settings
from taskd.store.transaction import Transaction

SLOTS = 8  # of the executor


@pytest.fixture
def stage() -> Iterator[Stage]:
    several = a_definition("several", ["a", "b", "c"], flow=["concurrence", "a", "b", "c"])
    with a_stage(a_definition("scarce"), a_definition("other"), several, slots=SLOTS) as made:
        yield made


def limit(stage: Stage, **slots: int) -> None:
    """As a reload does it."""
    stage.starter.settings = Settings(action_slots=slots)
    stage.loop.call(stage.director.look)
    stage.settle()


def start(stage: Stage, label: str, count: int, **order: int) -> None:
    """All in one commit."""

    def change(tx: Transaction) -> None:
        for _ in range(count):
            stage.create(tx, label, **order)

    stage.director.do(change)


def given(stage: Stage) -> list[Call]:
    """The calls that the executor has been given since the last time."""
    stage.settle()
    return [stage.next_call() for _ in range(stage.executor.calls.qsize())]


def labels(calls: list[Call]) -> list[str]:
    return sorted(call.label for call in calls)


def test_no_more_steps_of_a_label_run_than_it_has_slots(stage: Stage) -> None:
    limit(stage, scarce=2)

    start(stage, "scarce", 5)
    start(stage, "other", 5)

    assert labels(given(stage)) == ["other"] * 5 + ["scarce"] * 2


def test_slot_that_becomes_free_goes_to_the_oldest(stage: Stage) -> None:
    limit(stage, scarce=1)
    start(stage, "scarce", 4)
    order = []
    for outcome in (Success(), Failure(an_error()), NeverRan(), Success(), Success()):
        [call] = given(stage)
        order.append(call.task_id)
        stage.end(call, outcome)

    assert order == [1, 2, 3, 3, 4]


def test_urgent_ones_of_any_label_go_first(stage: Stage) -> None:
    limit(stage, scarce=SLOTS)
    start(stage, "other", SLOTS)
    running = given(stage)
    start(stage, "other", 1)
    start(stage, "scarce", 1)
    start(stage, "other", 1)
    start(stage, "scarce", 1, priority=1)

    order = []
    for call in running[:4]:
        stage.end(call)
        order += [call.task_id - SLOTS for call in given(stage)]

    assert order == [4, 1, 2, 3]


def test_steps_side_by_side_are_several(stage: Stage) -> None:
    limit(stage, several=2)
    start(stage, "several", 2)

    first = given(stage)
    stage.end(first[0])

    assert [(call.task_id, call.step) for call in first] == [(1, "a"), (1, "b")]
    assert [(call.task_id, call.step) for call in given(stage)] == [(1, "c")]


def test_reload_gives_and_takes_slots(stage: Stage) -> None:
    limit(stage, scarce=1)
    start(stage, "scarce", 6)
    one = given(stage)

    limit(stage, scarce=3)
    two_more = given(stage)
    limit(stage, scarce=1, other=1)
    for call in two_more:
        stage.end(call)
    none = given(stage)
    limit(stage)

    assert (len(one), len(two_more), len(none), len(given(stage))) == (1, 2, 0, 3)


def test_thousand_waiting_tasks_of_a_full_label_are_not_looked_at(stage: Stage) -> None:
    limit(stage, scarce=1)
    start(stage, "scarce", 1, priority=9)
    start(stage, "other", 3 * SLOTS)
    before, running = count_work(stage), given(stage)

    start(stage, "scarce", 1000, priority=9)

    assert count_work(stage) == before
    stage.end(next(call for call in running if call.label == "other"))
    assert labels(given(stage)) == ["other"]


def count_work(stage: Stage) -> int:
    """The instructions that SQLite takes to find what may start when `scarce` is full."""
    steps: list[int] = []

    def look(tx: Transaction) -> None:
        tx.connection.set_progress_handler(lambda: steps.append(1), 1)
        tx.ready(SLOTS, {"scarce": 0})
        tx.connection.set_progress_handler(None, 1)

    stage.director.do(look)
    return len(steps)
