"""Starting, finding, waiting, resuming, skipping and cancelling, as a client sees it."""

import re
from typing import Any

import pytest
from builders import an_error
from stage import Stage

from taskd.executors.base import Cancelled, Failure
from taskd.model.errors import (
    InvalidInput,
    InvalidState,
    NotFound,
    QueryError,
    TaskdError,
    WaitTimeout,
)


def test_started_task_tells_its_id_and_state(stage: Stage) -> None:
    task = stage.client.start("demo", name="Mine", priority=3)

    assert (task.id, task.name, task.label, task.priority) == (1, "Mine", "demo", 3)


def test_unknown_action_is_not_found_and_changes_nothing(stage: Stage) -> None:
    client = stage.client

    with pytest.raises(NotFound) as refused:
        client.start("demi")

    assert refused.value.hint == "did you mean 'demo'?"
    assert client.find().total == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input": {"speed": 3}}, "speed"),
        ({"name": " "}, "name must have 1 to 1000 characters"),
        ({"key": "k" * 1001}, "key must have 1 to 1000 characters"),
        ({"priority": 10**9}, "priority 1000000000 is not between"),
        ({"locks": ["blog"]}, "cannot read 'blog' as a lock"),
    ],
)
def test_bad_order_is_refused_and_changes_nothing(
    stage: Stage, options: dict[str, Any], message: str
) -> None:
    client = stage.client

    with pytest.raises(InvalidInput, match=message):
        client.start("demo", **options)

    assert client.find().total == 0


def test_key_makes_a_repeated_request_the_same_task(stage: Stage) -> None:
    client = stage.client

    assert client.start("demo", key="once").id == client.start("demo", key="once").id == 1
    assert client.start("demo", key="twice").id == 2


def test_many_are_started_all_or_none(stage: Stage) -> None:
    client = stage.client
    with pytest.raises(NotFound):
        client.start_many([{"action": "demo"}, {"action": "none"}])

    started = client.start_many([{"action": "demo"}] * 3)

    assert started == [1, 2, 3]
    assert client.find().total == 3


def test_pages_go_on_where_the_last_one_ended(stage: Stage) -> None:
    client = stage.client
    client.start_many([{"action": "demo"}] * 5)

    first = client.find(limit=3)
    second = client.find(limit=3, after=str(first.items[-1].id))

    assert [task.id for page in (first, second) for task in page.items] == [5, 4, 3, 2, 1]


def test_search_leaves_tasks_out_of_list_and_count(stage: Stage) -> None:
    client = stage.client
    client.start_many([{"action": "demo"}, {"action": "two"}, {"action": "demo"}])

    page = client.find("label = demo", order="id")

    assert [task.id for task in page.items] == [1, 3]
    assert (page.total, client.count("label = demo"), client.count()) == (2, 2, 3)


def test_search_that_cannot_be_read_finds_nothing_by_mistake(stage: Stage) -> None:
    for ask in (stage.client.find, stage.client.count, stage.client.explain):
        with pytest.raises(QueryError, match="did you mean 'state'") as refused:
            ask("has stat")
        assert (refused.value.position, refused.value.query) == (4, "has stat")


def test_explanation_is_a_query_again_with_its_times_and_its_asker(stage: Stage) -> None:
    client = stage.client
    client.start("demo")

    told = client.explain("user = current_user started_at > 2024", "label desc")

    user, started = told["query"].split(" started_at")
    assert user == f"user = {client.daemon['user']}"
    assert re.fullmatch(r' >= "?2025-01-01T00:00:00[+-]\d\d:\d\d"?', started)
    assert client.explain(told["query"])["query"] == told["query"]
    assert told["order"] == "label desc"
    assert any("tasks" in line for line in told["plan"])


@pytest.mark.parametrize("after", ["x", "[]", '["a"]', '["a","b"]', "1e999", "9" * 30, "[[[[", "-"])
def test_page_goes_on_after_nothing_but_a_page(stage: Stage, after: str) -> None:
    with pytest.raises(InvalidInput, match="expected what the page before gave"):
        stage.client.find(after=after)


def test_last_task_is_the_callers_newest(stage: Stage) -> None:
    client = stage.client
    with pytest.raises(NotFound, match="you have not started any"):
        client.get("@last")
    client.start_many([{"action": "demo"}] * 2)

    assert client.get("@last").id == 2


@pytest.mark.parametrize("reference", ["first", "-1", "1.5", ""])
def test_what_names_no_task_is_invalid(stage: Stage, reference: str) -> None:
    with pytest.raises(InvalidInput, match="expected an id or @last"):
        stage.client.get(reference)


def test_wait_returns_the_task_that_stopped(stage: Stage) -> None:
    client = stage.client
    task = client.start("two")
    for _ in range(2):
        stage.end(stage.next_call())

    assert [step.state for step in client.wait(task.id).steps.values()] == ["success"] * 3


def test_wait_gives_up_after_its_time(stage: Stage) -> None:
    client = stage.client
    task = client.start("demo")

    with pytest.raises(WaitTimeout, match=r"task 1 is still running after 0\.01 s"):
        client.wait(task.id, timeout=0.01)


def test_watch_returns_at_the_next_change(stage: Stage) -> None:
    client = stage.client
    task = client.start("two")
    call = stage.next_call()
    seen = client.watch(task.id).version
    stage.end(call)

    assert client.watch(task.id, seen).version > seen


def test_failed_task_shows_its_error_and_resumes_to_a_warning(stage: Stage) -> None:
    client = stage.client
    task = client.start("two")
    stage.end(stage.next_call())
    stage.end(stage.next_call(), Failure(an_error("disk is full")))
    client.wait(task.id)
    paused = client.get(task.id)

    client.resume(task.id)
    again = stage.next_call()
    stage.end(again)

    assert [(error.step, error.message) for error in paused.errors] == [("second", "disk is full")]
    assert (paused.state, again.step) == ("paused", "second")
    assert client.wait(task.id).result == "warning"


def test_running_task_cannot_be_resumed(stage: Stage) -> None:
    client = stage.client
    client.start("demo")

    with pytest.raises(InvalidState, match="cannot resume task 1: it is running, not paused"):
        client.resume(1)


def test_skipped_step_gives_its_turn_and_the_task_keeps_its_lock(stage: Stage) -> None:
    client = stage.client
    task = client.start("two", locks=["site:blog"])
    stage.end(stage.next_call(), Failure(an_error("disk is full")))
    client.wait(task.id)

    skipped = client.skip(task.id, ["first"])
    call = stage.next_call()
    held = client.locks()
    stage.end(call)

    assert (skipped.state, skipped.steps["first"].state) == ("running", "skipped")
    assert (call.step, [lock.task_id for lock in held]) == ("second", [task.id])
    assert client.wait(task.id).result == "warning"
    assert client.locks() == []
    assert "skipped" in [event.event for event in client.get(task.id).history]


@pytest.mark.parametrize(
    ("steps", "kind", "message"),
    [
        (["second"], InvalidState, "it has not failed"),
        (["first", "third"], NotFound, "task 1 has no step 'third'"),
        ([], InvalidInput, "no step is named"),
        ([1], InvalidInput, "steps holds something that is no text"),
    ],
)
def test_refused_skip_changes_nothing(
    stage: Stage, steps: list[Any], kind: type[TaskdError], message: str
) -> None:
    client = stage.client
    client.start("two")
    stage.end(stage.next_call(), Failure(an_error("disk is full")))
    client.wait(1)
    before = client.get(1)

    with pytest.raises(kind, match=message):
        client.skip(1, steps)

    assert client.get(1) == before


@pytest.mark.parametrize("force", [False, True])
def test_cancel_tells_the_running_step(stage: Stage, force: bool) -> None:
    client = stage.client
    task = client.start("demo")
    call = stage.next_call()

    client.cancel(task.id, force=force)
    told = stage.executor.cancelled.get(timeout=20)
    stage.end(call, Cancelled())

    assert told == (call.id, force)
    assert client.wait(task.id).result == "cancelled"


def test_held_lock_is_listed_and_named_by_whom_it_stops(stage: Stage) -> None:
    client = stage.client
    client.start("locked")
    paused = client.wait(client.start("locked").id)

    held = client.locks()

    assert [(each.resource, each.task_id) for each in held] == [("site:blog", 1)]
    assert client.locks("site:shop") == []
    assert "site:blog is locked by task 1 (Demo), running" in paused.errors[0].message


def test_status_counts_tasks_and_steps(stage: Stage) -> None:
    client = stage.client
    client.start_many([{"action": "demo"}] * 6)
    for _ in range(4):
        stage.next_call()

    status = client.status()

    assert (status["slots"], status["running_steps"]) == (4, 4)
    assert status["tasks"] == {"planned": 2, "running": 4}


def test_lock_as_text_stands_for_its_resource(stage: Stage) -> None:
    stage.start(locks=["site:blog/backup"])
    stage.settle()

    found = [stage.client.locks(text) for text in ("site:blog", "site:blog/backup", "site:blog/")]

    assert [[claim.task_id for claim in claims] for claims in found] == [[1], [1], [1]]
    with pytest.raises(InvalidInput, match="cannot read 'blog' as a lock"):
        stage.client.locks("blog")


def test_choice_on_conflicts_is_told(stage: Stage) -> None:
    task = stage.client.start("demo", on_conflict="wait")

    assert [task.on_conflict, stage.client.get(task.id).on_conflict] == ["wait", "wait"]
    with pytest.raises(InvalidInput, match="on_conflict 'hope' is none of pause, wait, skip"):
        stage.client.start("demo", on_conflict="hope")


@pytest.mark.parametrize("method", ["resume", "skip", "cancel"])
def test_what_is_only_tried_changes_nothing(stage: Stage, method: str) -> None:
    client = stage.client
    client.start("demo")
    stage.end(stage.next_call(), Failure(an_error()))
    client.wait(1)
    before = client.get(1)

    tried = getattr(client, method)(1, noop=True)
    stage.settle()

    assert (tried.id, tried.state) == (1, "paused")
    assert client.get(1) == before
    assert stage.executor.calls.empty()


@pytest.mark.parametrize("method", ["resume", "skip", "cancel"])
def test_what_cannot_be_done_cannot_be_tried_either(stage: Stage, method: str) -> None:
    client = stage.client
    client.start("demo")
    stage.end(stage.next_call())
    client.wait(1)

    with pytest.raises(InvalidState):
        getattr(client, method)(1, noop=True)
