"""Hooks: called once the change is stored, at least once, and harmless."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import a_definition, an_error
from stage import Stage, a_stage

from taskd.executors.base import Call, CallKind, Failure, Interrupted, NeverRan, Success
from taskd.model import lifecycle
from taskd.model.definition import Definition, Hook
from taskd.store import tasks

HOOKS = (Hook("page", ("paused",)), Hook("done", ("success", "warning")), Hook("end", ("stopped",)))


def hooked(**changes: object) -> Definition:
    return a_definition("hooked", hooks=HOOKS, **changes)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with a_stage(hooked(), a_definition("plain")) as stage:
        yield stage


def next_hook(stage: Stage) -> Call:
    call = stage.next_call()
    assert call.kind is CallKind.HOOK
    return call


def test_hook_is_told_of_the_task_as_it_has_become(stage: Stage) -> None:
    task = stage.start("hooked")
    stage.end(stage.next_call(), Failure(an_error("no room")))

    call = next_hook(stage)

    told = call.outputs["task"]
    assert (call.step, told["id"], told["state"]) == ("page", task.id, "paused")
    assert told["errors"][0]["message"] == "no room"
    assert told["history"][-1]["event"] == "paused"


def test_each_state_and_result_calls_its_own_hooks_once(stage: Stage) -> None:
    stage.start("hooked")
    stage.end(stage.next_call())

    called = []
    for _ in range(2):
        called.append(next_hook(stage))
        stage.settle()
        assert stage.executor.calls.empty()  # one at a time
        stage.end(called[-1])
    stage.settle()

    assert [call.step for call in called] == ["done", "end"]
    assert stage.executor.calls.empty()


@pytest.mark.parametrize("outcome", [Failure(an_error()), Interrupted("it died"), Success(3)])
def test_whatever_becomes_of_a_hook_the_task_stays_as_it_is(stage: Stage, outcome: object) -> None:
    task = stage.start("hooked")
    stage.end(stage.next_call(), Failure(an_error()))
    call = next_hook(stage)
    before = stage.rest(task.id)

    stage.end(call, outcome)
    stage.settle()

    assert stage.rest(task.id) == before
    assert stage.executor.calls.empty()


def test_hook_that_never_ran_is_called_again(stage: Stage) -> None:
    stage.start("hooked")
    stage.end(stage.next_call(), Failure(an_error()))
    call = next_hook(stage)

    stage.end(call, NeverRan())

    assert next_hook(stage).step == "page"


def test_hook_is_called_each_time_the_task_comes_to_the_state(stage: Stage) -> None:
    task = stage.start("hooked")
    for _ in range(2):
        stage.end(stage.next_call(), Failure(an_error()))
        stage.end(next_hook(stage))
        stage.rest(task.id)
        stage.director.do(lambda tx: tx.save(lifecycle.resume(tx.get(task.id), "ana", tx.now)))

    assert stage.next_call().kind is CallKind.STEP


def test_hook_that_was_not_called_is_called_by_the_next_daemon(tmp_path: Path) -> None:
    with a_stage(hooked(), folder=tmp_path) as stage:
        task = stage.start("hooked")
        stage.end(stage.next_call(), Failure(an_error()))
        next_hook(stage)
        stage.rest(task.id)

    with a_stage(hooked(), folder=tmp_path) as stage:
        assert next_hook(stage).task_id == task.id


def test_what_a_describing_hook_returns_is_kept_with_the_task() -> None:
    describing = a_definition("said", hooks=(Hook("describe_output", ("success",)),))
    with a_stage(describing) as stage:
        task = stage.start("said")
        stage.end(stage.next_call())

        stage.end(next_hook(stage), Success("3 files saved"))
        stage.settle()

        with stage.database.snapshot() as snapshot:
            found = tasks.get_full(snapshot, task.id)

    assert found.descriptions == {"output": "3 files saved"}


def test_task_without_hooks_calls_none(stage: Stage) -> None:
    task = stage.start("plain")
    stage.end(stage.next_call(), Failure(an_error()))
    stage.rest(task.id)
    stage.settle()

    assert stage.executor.calls.empty()
