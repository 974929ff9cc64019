"""Who goes on when a lock is released, and who cannot any more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import a_definition, an_error
from stage import Stage, a_stage

from taskd.catalog.catalog import Catalog
from taskd.executors.base import Call, CallKind, Delegated, Failure, Planned, SubTask
from taskd.model.lock import Claim, exclusive
from taskd.model.task import OnConflict, State


@pytest.fixture
def stage() -> Iterator[Stage]:
    waits = OnConflict.WAIT
    with a_stage(
        a_definition("demo", on_conflict=waits),
        a_definition("reads", locks=("site:blog/read",), on_conflict=waits),
        a_definition("changes", locks=("site:blog",), on_conflict=waits),
        a_definition("moves", locks=("disk:2",), on_conflict=waits),
        a_definition("copies", locks=("site:shop", "disk:1"), on_conflict=waits),
        a_definition("thinks", planner="host", on_conflict=waits),
        a_definition("alone", singleton=True, on_conflict=waits),
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


def claims_of(stage: Stage, task_id: int) -> list[Claim]:
    return [claim for claim in stage.client.locks() if claim.task_id == task_id]


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


def test_circle_of_three_is_found(stage: Stage) -> None:
    shop, blog, disk = start(stage, "site:shop"), start(stage, "site:blog"), start(stage, "disk:2")
    delegate(stage, shop, "changes")
    delegate(stage, blog, "moves")

    closing = delegate(stage, disk, "copies")

    assert state(stage, closing) == "paused"


def test_circle_is_found_where_one_operation_stands_against_all(stage: Stage) -> None:
    shop, blog = start(stage, "site:shop"), start(stage, "site:blog/write")
    delegate(stage, shop, "changes")

    closing = delegate(stage, blog, "copies")

    assert state(stage, closing) == "paused"


# What is held, and by whom


@pytest.mark.parametrize(
    ("held", "wanted", "waits"),
    [
        ("site:blog/read", "site:blog/read", True),
        ("site:blog/read", "site:blog", True),
        ("site:blog", "site:blog/read", True),
        ("site:blog", "site:blog/", True),
        ("site:blog/read", "site:blog/write", False),
        ("site:blog", "site:shop", False),
    ],
)
def test_lock_is_for_one_operation_or_for_all(
    stage: Stage, held: str, wanted: str, waits: bool
) -> None:
    start(stage, held)

    task = stage.start(locks=[wanted])

    assert state(stage, task.id) == ("planned" if waits else "running")


def test_locks_of_a_task_are_taken_together_or_not_at_all(stage: Stage) -> None:
    start(stage, "site:shop")
    task = stage.start(locks=["site:blog", "site:shop"])

    stage.settle()

    held = [(claim.resource, claim.held) for claim in claims_of(stage, task.id)]
    assert held == [("site:shop", False), ("site:blog", False)]


def test_same_lock_twice_is_one(stage: Stage) -> None:
    call = start(stage, "site:blog/read", "site:blog/read", "site:blog/")

    locks = [str(lock) for lock in stage.client.get(call.task_id).locks]
    assert sorted(locks) == ["site:blog", "site:blog/read"]


def test_link_keeps_nobody_away(stage: Stage) -> None:
    start(stage, "site:blog")

    stage.start(links=["site:blog"])

    assert stage.next_call().label == "demo"


def test_paused_task_keeps_its_locks_until_it_is_stopped(stage: Stage) -> None:
    holder = start(stage, "site:blog")
    waiting = stage.start("changes").id
    stage.end(holder, Failure(an_error()))

    while_paused = state(stage, waiting)
    stage.client.cancel(holder.task_id)

    assert [while_paused, state(stage, waiting)] == ["planned", "running"]


def test_sub_task_whose_parent_holds_the_lock_only_refers_to_it(stage: Stage) -> None:
    child = delegate(stage, start(stage, "site:blog"), "changes")

    task = stage.client.get(child)

    assert (task.state, task.locks) == ("running", ())
    assert [str(link) for link in task.links] == ["user:ana", "site:blog"]


def test_sub_task_takes_what_its_parent_has_not(stage: Stage) -> None:
    child = delegate(stage, start(stage, "site:blog/write"), "changes")

    assert [str(lock) for lock in stage.client.get(child).locks] == ["site:blog"]


# What becomes of one who cannot have them


def test_task_that_waits_holds_neither_slot_nor_call(stage: Stage) -> None:
    start(stage, "site:blog")
    waiting = [stage.start("changes").id for _ in range(10)]

    stage.start()

    assert stage.next_call().label == "demo"
    assert {state(stage, task_id) for task_id in waiting} == {"planned"}


def test_caller_decides_before_the_action(stage: Stage) -> None:
    start(stage, "site:blog")
    asked = [stage.start("changes", on_conflict=how).id for how in ("pause", "skip", None)]

    tasks = [stage.client.get(task_id) for task_id in asked if state(stage, task_id)]

    ends = [(task.state, task.result) for task in tasks]
    assert ends == [("paused", "error"), ("stopped", "cancelled"), ("planned", "pending")]
    assert tasks[1].steps["plan"].note == "site:blog is locked by task 1"


def test_order_is_that_of_priority_and_then_of_age(stage: Stage) -> None:
    holder = start(stage, "site:blog")
    tasks = [stage.start("changes", priority=priority).id for priority in (0, 5, 0, -1, 5)]
    stage.settle()

    served = []
    while len(served) < len(tasks):
        stage.end(holder)
        holder = stage.next_call()
        served.append(tasks.index(holder.task_id))

    assert served == [1, 4, 0, 2, 3]


def test_who_waits_for_two_is_not_overtaken_at_the_one_that_is_free(stage: Stage) -> None:
    holder = start(stage, "site:shop")
    both, behind = stage.start("copies").id, stage.start(locks=["disk:1"]).id

    before = state(stage, behind)
    stage.end(holder)
    after = [state(stage, both), state(stage, behind)]

    assert [before, *after] == ["planned", "running", "planned"]


def test_sub_task_of_a_holder_goes_past_those_who_wait(stage: Stage) -> None:
    start(stage, "site:shop")
    parent = start(stage, "site:blog")
    waiting = stage.start(locks=["site:shop", "disk:2"]).id

    child = delegate(stage, parent, "moves")

    assert [state(stage, waiting), state(stage, child)] == ["planned", "running"]


def test_sub_task_of_one_who_holds_nothing_lines_up(stage: Stage) -> None:
    start(stage, "site:shop")
    parent = start(stage)
    stage.start(locks=["site:shop", "disk:2"])

    child = delegate(stage, parent, "moves")

    assert state(stage, child) == "planned"


def test_resume_tries_again_to_have_the_lock(stage: Stage) -> None:
    holder = start(stage, "site:blog")
    paused = stage.start("changes", on_conflict="pause").id
    stage.settle()

    stage.client.resume(paused)
    in_vain = state(stage, paused)
    stage.end(holder)
    stage.settle()
    stage.client.resume(paused)

    assert [in_vain, state(stage, paused)] == ["paused", "running"]


def test_who_does_not_wait_takes_what_is_free(stage: Stage) -> None:
    start(stage, "site:shop")
    stage.start("copies")
    stage.settle()

    hasty = stage.start(locks=["disk:1"], on_conflict="pause")

    assert stage.next_call().task_id == hasty.id


def test_plan_of_one_who_waits_is_made_once(stage: Stage) -> None:
    holder = start(stage, "site:blog")
    task = stage.start("thinks")
    plan = stage.next_call()
    stage.end(plan, Planned("Think of blog", ["sequence", "work"], (exclusive("site:blog"),)))

    stage.settle()
    before = stage.client.get(task.id)
    stage.end(holder)

    assert (before.name, before.state) == ("Think of blog", "planned")
    assert (stage.next_call().step, plan.kind) == ("work", CallKind.PLAN)


def test_waiting_goes_on_with_the_next_director(tmp_path: Path) -> None:
    waits = a_definition("demo", on_conflict=OnConflict.WAIT)
    with a_stage(waits, folder=tmp_path) as stage:
        holder = start(stage, "site:blog")
        second, third = (stage.start(locks=["site:blog"]).id for _ in range(2))
        stage.settle()

    with a_stage(waits, folder=tmp_path) as stage:
        stage.director.adopt({holder.id: (holder.task_id, holder.step)})
        stage.end(holder)

        assert [state(stage, second), state(stage, third)] == ["running", "planned"]


def test_action_that_vanished_while_its_task_waited_pauses_it(stage: Stage) -> None:
    holder = start(stage, "site:blog")
    task = stage.start("changes").id
    stage.settle()
    stage.starter.catalog = Catalog({"demo": a_definition("demo")}, fingerprint=[])

    stage.end(holder)

    assert state(stage, task) == "paused"
    assert stage.client.get(task).errors[0].kind == "action-changed"


def test_one_at_a_time_is_a_lock_on_the_action(stage: Stage) -> None:
    first, second = stage.start("alone"), stage.start("alone").id
    call = stage.next_call()

    before = state(stage, second)
    stage.end(call)

    assert [str(lock) for lock in stage.client.get(second).locks] == ["action:alone"]
    assert (call.task_id, before, state(stage, second)) == (first.id, "planned", "running")


# Circles


def test_one_that_closes_a_circle_pauses_and_names_the_other(stage: Stage) -> None:
    shop, blog = start(stage, "site:shop"), start(stage, "site:blog")
    waits = delegate(stage, shop, "changes")

    closes = delegate(stage, blog, "copies")

    assert [state(stage, waits), state(stage, closes)] == ["planned", "paused"]
    message = stage.client.get(closes).errors[0].message
    assert message.startswith("site:shop is locked by task 1 (Demo), running since")
    assert message.endswith("wait for each other: taskctl cancel 2, or taskctl cancel 1")


def test_other_one_goes_on_when_the_circle_is_broken(stage: Stage) -> None:
    shop, blog = start(stage, "site:shop"), start(stage, "site:blog")
    waits = delegate(stage, shop, "changes")
    closes = delegate(stage, blog, "copies")

    stage.settle()
    stage.client.cancel(blog.task_id)

    assert [state(stage, waits), state(stage, closes)] == ["running", "stopped"]
