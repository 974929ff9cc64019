"""Steps that wait without a host: for a time, or for tasks of their own."""

import contextlib
import queue
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import a_definition, an_error
from stage import PATIENCE, Stage, a_stage

from taskd.engine import family, unlocking
from taskd.executors.base import (
    Call,
    Cancelled,
    Delegated,
    Failure,
    Outcome,
    Snoozed,
    SubTask,
    Success,
)
from taskd.model import lifecycle
from taskd.model.definition import Definition, Field, Retry, StepDefinition
from taskd.model.errors import InvalidState
from taskd.model.record import replace
from taskd.model.step import Rescue, StepState
from taskd.model.task import Result, State, Task
from taskd.store import children as waiting
from taskd.store import tasks
from taskd.store.transaction import Transaction

NUMBER = Field("n", {"type": "integer"}, required=False, default=0)


def one_step(label: str, step: StepDefinition) -> Definition:
    return replace(a_definition(label, [step.name]), steps=(step,))


@pytest.fixture
def stage() -> Iterator[Stage]:
    definitions = [
        a_definition("parent", ["split", "after"]),
        a_definition("skipping", ["split"], rescue=Rescue.SKIP),
        a_definition("child", fields=(NUMBER,)),
        a_definition("hiding", fields=(Field("token", {"type": "string", "format": "secret"}),)),
        a_definition("stubborn", cancellable=False),
        a_definition("grandparent", ["split"]),
        a_definition("owner", locks=("site:blog",)),
        a_definition("locked", locks=("site:blog",)),
        one_step("retrying", StepDefinition(name="split", retry=Retry(1))),
    ]
    with a_stage(*definitions, slots=20) as stage:
        yield stage


def children(count: int, label: str = "child", concurrency: int | None = None) -> Delegated:
    fields = range(count) if label == "child" else ()
    given = [{"n": n} for n in fields] or [{}] * count
    return Delegated(tuple(SubTask(label, each) for each in given), concurrency)


def split(stage: Stage, wanted: Delegated, label: str = "parent", **order: Any) -> Task:
    """A task whose first step has asked for these."""
    task = stage.start(label, **order)
    stage.end(stage.next_call(), wanted)
    return task


def calls(stage: Stage, count: int) -> list[Call]:
    return [stage.next_call() for _ in range(count)]


def found(stage: Stage, task_id: int) -> Task:
    stage.settle()
    with stage.database.snapshot() as snapshot:
        return tasks.get_full(snapshot, task_id)


def resume(stage: Stage, task_id: int) -> None:
    stage.director.do(lambda tx: tx.save(lifecycle.resume(tx.get(task_id), "ana", tx.now)))


def cancel(stage: Stage, task_id: int) -> list[Task]:
    catalog = stage.starter.catalog
    return stage.director.do(lambda tx: family.cancel(tx, catalog, tx.get(task_id), "ana"))


def unlock(stage: Stage, task_id: int) -> None:
    def change(tx: Transaction) -> None:
        unlocked = unlocking.unlock(tx, tx.get(task_id), "ana", force=True, reason="")
        stage.director.kill(tx, unlocked)

    stage.director.do(change)


# Sub-tasks


def test_step_ends_when_its_sub_tasks_have(stage: Stage) -> None:
    task = split(stage, children(3), priority=7)
    for call in calls(stage, 3):
        child = found(stage, call.task_id)
        assert (child.parent_task_id, child.user, child.priority) == (task.id, "ana", 7)
        stage.end(call)

    after = stage.next_call()

    assert (after.task_id, after.step) == (task.id, "after")
    assert found(stage, task.id).steps["split"].output == {
        "total": 3, "success": 3, "warning": 0, "error": 0, "cancelled": 0, "tasks": [2, 3, 4]
    }  # fmt: skip
    stage.end(after)
    assert stage.rest(task.id).result is Result.SUCCESS


def test_step_waits_without_a_slot_and_tells_how_far_it_is(stage: Stage) -> None:
    task = split(stage, children(4))
    first, *_ = calls(stage, 4)

    stage.end(first)

    step = found(stage, task.id).steps["split"]
    assert (step.state, step.call_id) == (StepState.SUSPENDED, None)
    assert (step.progress, step.note) == (0.25, "1 of 4")


def test_no_sub_tasks_are_an_end_at_once(stage: Stage) -> None:
    task = split(stage, children(0))

    assert stage.next_call().step == "after"
    assert found(stage, task.id).steps["split"].output["total"] == 0


def test_as_many_run_at_a_time_as_may(stage: Stage) -> None:
    task = split(stage, children(5, concurrency=2))
    at_work = calls(stage, 2)
    states = [found(stage, task.id + n).state for n in range(1, 6)]
    assert states == ["running"] * 2 + ["scheduled"] * 3

    for _ in range(3):
        stage.end(at_work.pop(0))
        at_work.append(stage.next_call())
        stage.settle()
        assert stage.executor.calls.empty()
    for call in at_work:
        stage.end(call)

    assert stage.next_call().step == "after"


@pytest.mark.parametrize("how", ["error", "cancelled"])
def test_sub_task_that_fails_fails_the_step_once_all_have_ended(stage: Stage, how: str) -> None:
    task = split(stage, children(2))
    first, second = calls(stage, 2)
    stage.end(first, Failure(an_error()))
    stage.rest(first.task_id)
    if how == "cancelled":
        cancel(stage, first.task_id)
    assert found(stage, task.id).state is State.RUNNING

    stage.end(second)

    paused = stage.rest(task.id)
    error = paused.steps["split"].error
    assert error
    assert paused.state is State.PAUSED
    outcome = "is paused: 2 (paused)" if how == "error" else "failed: 2 (cancelled)"
    assert error.message == f"1 of 2 sub-tasks {outcome}; taskctl show 2"
    assert error.detail == {"tasks": [2]}


def test_resume_resumes_the_paused_and_starts_the_failed_anew(stage: Stage) -> None:
    task = split(stage, children(3))
    good, paused, gone = calls(stage, 3)
    stage.end(good)
    stage.end(paused, Failure(an_error()))
    stage.end(gone, Failure(an_error()))
    stage.rest(gone.task_id)
    cancel(stage, gone.task_id)
    stage.rest(task.id)

    resume(stage, task.id)

    again = calls(stage, 2)
    assert {call.task_id for call in again} == {paused.task_id, 5}
    assert found(stage, 5).input == found(stage, gone.task_id).input
    for call in again:
        stage.end(call)
    stage.end(stage.next_call())
    assert stage.rest(task.id).result is Result.WARNING
    output = found(stage, task.id).steps["split"].output
    assert (output["tasks"], output["warning"]) == ([2, 3, 5], 1)


def test_resume_where_all_have_ended_well_meanwhile_goes_on_at_once(stage: Stage) -> None:
    task = split(stage, children(1))
    call = stage.next_call()
    stage.end(call, Failure(an_error()))
    stage.rest(task.id)
    resume(stage, call.task_id)
    stage.end(stage.next_call())
    stage.rest(call.task_id)
    assert found(stage, task.id).state is State.PAUSED

    resume(stage, task.id)

    assert stage.next_call().step == "after"


def test_resume_heeds_how_many_may_run(stage: Stage) -> None:
    task = split(stage, children(3, concurrency=1))
    for _ in range(3):
        call = stage.next_call()
        stage.end(call, Failure(an_error()))
        stage.rest(call.task_id)
        cancel(stage, call.task_id)
    stage.rest(task.id)

    resume(stage, task.id)

    for _ in range(3):
        call = stage.next_call()
        stage.settle()
        assert stage.executor.calls.empty()
        stage.end(call)
    assert stage.next_call().step == "after"


def test_failed_ones_are_started_anew_by_a_retry(stage: Stage) -> None:
    task = split(stage, children(1), "retrying")
    first = stage.next_call()
    stage.end(first, Failure(an_error()))
    stage.rest(first.task_id)
    assert found(stage, task.id).state is State.PAUSED  # a person is needed, not a retry

    resume(stage, task.id)
    again = stage.next_call()
    assert again.task_id == first.task_id
    cancel(stage, first.task_id)
    stage.end(again, Failure(an_error()))

    anew = stage.next_call()
    stage.end(anew)
    assert anew.task_id != first.task_id
    assert stage.rest(task.id).result is Result.WARNING


def test_failed_sub_tasks_may_be_skipped_paused_ones_not(stage: Stage) -> None:
    task = split(stage, children(1), "skipping")
    call = stage.next_call()
    stage.end(call, Failure(an_error()))
    assert stage.rest(task.id).state is State.PAUSED

    resume(stage, task.id)
    again = stage.next_call()
    cancel(stage, call.task_id)
    stage.end(again, Failure(an_error()))

    rested = stage.rest(task.id)
    assert (rested.state, rested.result) == (State.STOPPED, Result.WARNING)


def test_warning_of_a_sub_task_is_one_of_its_parent(stage: Stage) -> None:
    task = split(stage, children(2))
    first, second = calls(stage, 2)
    stage.end(first, Failure(an_error()))
    stage.rest(first.task_id)
    resume(stage, first.task_id)
    stage.end(stage.next_call())
    stage.end(second)

    stage.end(stage.next_call())

    assert stage.rest(task.id).result is Result.WARNING


def test_grandchildren_end_their_parents_in_one_go(stage: Stage) -> None:
    task = split(stage, children(1, "skipping"), "grandparent")
    stage.end(stage.next_call(), children(1))

    stage.end(stage.next_call())

    assert stage.rest(task.id).result is Result.SUCCESS
    assert found(stage, task.id).version == found(stage, 2).version == found(stage, 3).version


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (SubTask("chidl", {}), "no action 'chidl'"),
        (SubTask("child", {"n": "x"}), "'n' must be a whole number, not 'x'"),
        (SubTask("parent", {}), "cannot start parent as a sub-task of itself: task 1 has the same"),
    ],
)
def test_sub_task_that_cannot_be_fails_the_step_and_none_is_started(
    stage: Stage, wanted: SubTask, message: str
) -> None:
    task = split(stage, Delegated((SubTask("child", {}), wanted)))

    error = stage.rest(task.id).steps["split"].error

    assert error
    assert message in error.message
    with stage.database.snapshot() as snapshot:
        assert tasks.last_id(snapshot) == task.id


def test_cancel_reaches_sub_tasks_and_their_parent_ends_after_them(stage: Stage) -> None:
    task = split(stage, children(3, concurrency=2))
    first, second = calls(stage, 2)
    stage.end(first)
    third = stage.next_call()

    cancelled = cancel(stage, task.id)

    assert [each.id for each in cancelled] == [1, 3, 4]
    assert found(stage, task.id).state is State.RUNNING
    stage.end(second, Failure(an_error()))
    assert found(stage, task.id).state is State.RUNNING
    stage.end(third, Failure(an_error()))
    assert stage.rest(task.id).result is Result.CANCELLED
    results = [found(stage, n).result for n in (2, 3, 4)]
    assert results == ["success", "cancelled", "cancelled"]


def test_unlocked_task_keeps_its_lock_until_its_sub_tasks_are_dead(stage: Stage) -> None:
    task = split(stage, children(1, "locked"), "owner")
    call = stage.next_call()

    unlock(stage, task.id)

    parent = found(stage, task.id)
    assert (parent.state, [str(lock) for lock in parent.locks]) == (State.RUNNING, ["site:blog"])
    stage.end(call, Cancelled())
    parent, child = stage.rest(task.id), found(stage, call.task_id)
    assert [parent.locks, parent.result, child.result] == [(), Result.ERROR, Result.ERROR]
    assert [parent.resumable, child.resumable] == [True, True]


def test_task_is_unlocked_at_once_where_no_sub_task_is_at_work(stage: Stage) -> None:
    task = split(stage, children(1, "child"), "grandparent")
    stage.end(stage.next_call(), Snoozed(600.0))
    stage.settle()

    unlock(stage, task.id)

    assert found(stage, task.id).result is Result.ERROR


@pytest.mark.parametrize("ends", [unlock, cancel])
def test_paused_task_keeps_its_lock_while_a_sub_task_that_was_resumed_ends(
    stage: Stage, ends: Callable[[Stage, int], object]
) -> None:
    task = split(stage, children(1, "locked"), "owner")
    stage.end(stage.next_call(), Failure(an_error()))
    stage.rest(task.id)
    stage.director.do(lambda tx: tx.save(lifecycle.resume(tx.get(2), "ana", tx.now)))
    call = stage.next_call()

    ends(stage, task.id)

    before = found(stage, task.id)
    assert (before.state, [str(lock) for lock in before.locks]) == (State.RUNNING, ["site:blog"])
    stage.end(call, Cancelled())
    stage.settle()
    assert (found(stage, task.id).state, found(stage, task.id).locks) == (State.STOPPED, ())


def test_sub_task_that_nobody_waits_for_any_more_is_not_resumed(stage: Stage) -> None:
    task = split(stage, children(1, "locked"), "owner")
    call = stage.next_call()
    unlock(stage, 2)
    stage.end(call, Cancelled())
    stage.rest(task.id)
    stage.client.skip(task.id)
    stage.rest(task.id)

    with pytest.raises(InvalidState, match="task 1 does not wait for it any more"):
        stage.client.resume(2)


def test_sub_task_that_must_not_be_cancelled_is_waited_for() -> None:
    stubborn = a_definition("child", fields=(NUMBER,), cancellable=False, rescue=Rescue.FAIL)
    limited = one_step("limited", replace(LIMITED, timeout=0.001))
    with a_stage(limited, stubborn) as stage:
        task = split(stage, children(1), "limited")
        call = stage.next_call()

        overdue = stage.starter.sub_tasks.overdue
        cancelled = stage.director.do(lambda tx: overdue(tx, task.id, "split"))

        assert (cancelled, found(stage, task.id).state) == ([], State.RUNNING)
        stage.end(call, Failure(an_error()))
        error = stage.rest(task.id).steps["split"].error
        assert error
        assert error.kind == "timeout"


def test_sub_task_that_does_not_die_is_given_up(stage: Stage) -> None:
    task = split(stage, children(1), "grandparent")
    child = stage.next_call().task_id
    unlock(stage, task.id)

    for n in (task.id, child):
        since = found(stage, n).state_updated_at
        stage.director.do(partial(unlocking.give_up, task_id=n, since=since))

    ends = [(found(stage, n).state, found(stage, n).result) for n in (task.id, child)]
    assert ends == [(State.STOPPED, Result.ERROR)] * 2


@pytest.mark.parametrize("wanted", [children(2), Snoozed(0.01, None)])
def test_step_that_was_told_to_end_is_not_waited_for(stage: Stage, wanted: Outcome) -> None:
    task = stage.start("parent")
    call = stage.next_call()
    cancel(stage, task.id)

    stage.end(call, wanted)

    assert stage.rest(task.id).result is Result.CANCELLED
    with stage.database.snapshot() as snapshot:
        assert tasks.last_id(snapshot) == task.id


def test_cancel_that_a_running_sub_task_refuses_changes_nothing(stage: Stage) -> None:
    task = split(stage, Delegated((SubTask("child", {}), SubTask("stubborn", {}))))
    calls(stage, 2)

    with pytest.raises(InvalidState, match="stubborn may not be cancelled"):
        cancel(stage, task.id)

    assert {found(stage, n).cancelling for n in (1, 2, 3)} == {False}


def test_step_is_not_skipped_while_a_sub_task_of_it_is_left(stage: Stage) -> None:
    task = split(stage, children(2))
    first, second = calls(stage, 2)
    stage.end(first, Failure(an_error()))
    stage.end(second)
    stage.rest(task.id)

    with pytest.raises(InvalidState, match=f"its sub-task {first.task_id} is paused"):
        stage.client.skip(task.id)
    stage.client.cancel(first.task_id)
    stage.client.skip(task.id, ["split"])

    assert stage.next_call().step == "after"


def test_sub_task_shares_the_lock_of_its_parent(stage: Stage) -> None:
    task = split(stage, children(1, "locked"), "owner")
    call = stage.next_call()
    assert [str(lock) for lock in found(stage, call.task_id).links] == ["user:ana", "site:blog"]
    assert found(stage, call.task_id).locks == ()

    stranger = stage.start("locked")

    error = stage.rest(stranger.id).steps["plan"].error
    assert error
    assert error.detail["holders"] == [task.id]
    stage.end(call)
    assert stage.rest(task.id).result is Result.SUCCESS


def test_thousand_sub_tasks_end_in_few_commits(stage: Stage) -> None:
    task = split(stage, children(1000))
    for _ in range(1000):
        stage.end(stage.next_call())

    stage.end(stage.next_call())

    assert stage.rest(task.id).result is Result.SUCCESS


def test_subscriber_is_given_the_secret_that_it_has_an_input_for() -> None:
    token = Field("token", {"type": "string", "format": "secret"}, required=False, default="")
    plain = Field("token", {"type": "string"}, required=False, default="none")
    definitions = [
        a_definition("login", fields=(token,)),
        a_definition("hiding", fields=(token,), subscribes_to="login"),
        a_definition("showing", fields=(plain,), subscribes_to="login"),
        a_definition("first", ["split"]),
    ]
    with a_stage(*definitions) as stage:
        split(stage, Delegated((SubTask("login", {"token": "hunter2"}),)), "first")
        given = {call.label: call.input["token"] for call in calls(stage, 3)}

    assert given == {"login": "hunter2", "hiding": "hunter2", "showing": "none"}


def test_failed_sub_task_with_a_secret_is_started_anew_with_it(stage: Stage) -> None:
    task = split(stage, Delegated((SubTask("hiding", {"token": "hunter2"}),)))
    call = stage.next_call()
    cancel(stage, call.task_id)
    stage.end(call, Failure(an_error()))
    stage.rest(task.id)
    kept = list(stage.places.secrets.iterdir())

    resume(stage, task.id)

    anew = stage.next_call()
    assert (anew.task_id, anew.input) == (3, {"token": "hunter2"})
    assert [file.stem for file in kept] == ["2"]
    stage.end(anew)
    stage.end(stage.next_call())
    stage.rest(task.id)
    stage.settle()
    assert list(stage.places.secrets.iterdir()) == []


LIMITED = StepDefinition(name="split", timeout=0.3)


def test_step_waits_for_its_sub_tasks_no_longer_than_it_may() -> None:
    with a_stage(one_step("limited", LIMITED), a_definition("child", fields=(NUMBER,))) as stage:
        task = split(stage, children(2), "limited")
        first, second = calls(stage, 2)
        stage.end(first)

        assert stage.executor.cancelled.get(timeout=PATIENCE) == (second.id, False)
        assert found(stage, task.id).steps["split"].state is StepState.SUSPENDED
        stage.end(second, Failure(an_error()))
        assert stage.rest(second.task_id).result is Result.CANCELLED
        error = stage.rest(task.id).steps["split"].error
        assert error
        assert (error.kind, error.message) == ("timeout", "timed out after 0.3 s")

        resume(stage, task.id)
        anew = stage.next_call()
        stage.end(anew)
        assert stage.rest(task.id).result is Result.WARNING


def test_clock_that_is_behind_the_timer_costs_no_time_limit() -> None:
    with a_stage(one_step("limited", LIMITED), a_definition("child", fields=(NUMBER,))) as stage:
        task = split(stage, children(1), "limited")
        call = stage.next_call()
        stage.loop.call(partial(stage.director.arm, found(stage, task.id).created_at, 1, "split"))
        stage.executor.cancelled.get(timeout=PATIENCE)
        stage.end(call, Cancelled())

        assert stage.rest(task.id).steps["split"].error


def test_time_for_sub_tasks_goes_on_with_the_next_daemon(tmp_path: Path) -> None:
    definitions = one_step("limited", LIMITED), a_definition("child", fields=(NUMBER,))
    with a_stage(*definitions, folder=tmp_path) as stage:
        task = split(stage, children(1), "limited")
        call = stage.next_call()

    with a_stage(*definitions, folder=tmp_path) as stage:
        stage.director.adopt({call.id: (call.task_id, call.step)})
        stage.director.do(lambda _tx: None)
        for found_task, name, deadline in waiting.deadlines(stage.database.writer):
            stage.loop.call(partial(stage.director.arm, deadline, found_task, name))
        stage.executor.cancelled.get(timeout=PATIENCE)
        stage.end(call, Cancelled())

        assert stage.rest(task.id).steps["split"].state is StepState.ERROR


# Subscribers


def test_subscribers_run_beside_the_action_and_are_waited_for() -> None:
    site = Field("site", {"type": "string"}, required=False, default="blog")
    definitions = [
        a_definition("backup", fields=(site,)),
        a_definition("report", fields=(site, NUMBER), subscribes_to="backup"),
        a_definition("tell", subscribes_to="backup"),
    ]
    with a_stage(*definitions) as stage:
        task = stage.start("backup")
        own, *others = calls(stage, 3)
        assert (own.label, [call.label for call in others]) == ("backup", ["report", "tell"])
        assert [call.input for call in others] == [{"site": "blog", "n": 0}, {}]
        stage.end(own, Success("saved"))
        assert found(stage, task.id).state is State.RUNNING
        stage.end(others[0])
        stage.end(others[1], Failure(an_error()))
        paused = stage.rest(task.id)
        assert paused.steps["subscribers"].error
        resume(stage, task.id)
        stage.end(stage.next_call())

        assert stage.rest(task.id).result is Result.WARNING


# Snooze


def test_snoozed_step_is_called_again_with_what_it_kept(stage: Stage) -> None:
    task = stage.start("child")
    stage.end(stage.next_call(), Snoozed(0.05, {"page": 1}))
    waiting = found(stage, task.id).steps["work"]
    assert (waiting.state, waiting.call_id) == (StepState.SUSPENDED, None)

    again = stage.next_call()

    assert (again.kept, again.attempt) == ({"page": 1}, 1)
    stage.end(again, Success("done"))
    assert stage.rest(task.id).output == "done"


def test_what_was_kept_is_there_after_error_and_resume(stage: Stage) -> None:
    task = stage.start("child")
    stage.end(stage.next_call(), Snoozed(0.0, 7))
    stage.end(stage.next_call(), Failure(an_error()))
    stage.rest(task.id)

    resume(stage, task.id)

    assert stage.next_call().kept == 7


def test_what_is_kept_as_the_task_is_unlocked_is_there_after_resume(stage: Stage) -> None:
    task = stage.start("child")
    call = stage.next_call()
    unlock(stage, task.id)
    stage.end(call, Snoozed(600.0, 7))
    stage.rest(task.id)

    resume(stage, task.id)

    assert stage.next_call().kept == 7


def test_snoozing_task_is_cancelled_at_once(stage: Stage) -> None:
    task = stage.start("child")
    stage.end(stage.next_call(), Snoozed(600.0))
    stage.settle()

    cancel(stage, task.id)

    assert stage.rest(task.id).result is Result.CANCELLED


def test_time_limit_holds_over_all_calls_of_a_snoozing_step() -> None:
    with a_stage(one_step("poll", StepDefinition(name="work", timeout=0.3))) as stage:
        task = stage.start("poll")
        first = stage.next_call()
        assert first.timeout == 0.3
        stage.end(first, Snoozed(0.1))
        second = stage.next_call()
        assert second.timeout
        assert second.timeout < 0.21
        stage.end(second, Snoozed(600.0))

        error = stage.rest(task.id).steps["work"].error

    assert error
    assert (error.kind, error.message) == ("timeout", "timed out after 0.3 s")


def test_snoozing_tasks_wake_nobody_until_they_are_due(stage: Stage) -> None:
    for _ in range(20):
        stage.start("child")
    for call in calls(stage, 20):
        stage.end(call, Snoozed(600.0))
    stage.settle()
    commits: queue.SimpleQueue[None] = queue.SimpleQueue()
    stage.director.after_batch = lambda: commits.put(None)
    stage.settle()
    commits.get(timeout=PATIENCE)  # that of `settle` itself, or of what came before it

    with contextlib.suppress(queue.Empty):
        commits.get(timeout=0.1)
    with pytest.raises(queue.Empty):
        commits.get(timeout=0.3)
