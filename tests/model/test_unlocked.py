"""Tasks that wait for locks, are unlocked, and resumed."""

from collections.abc import Callable

import pytest
from builders import NOW, a_new_task, a_plan, a_planned_task, a_step, a_task, an_error, later
from moves import (
    begin,
    cancel,
    delegate,
    events,
    fail,
    kill,
    one_step,
    paused,
    ready,
    resume,
    snooze,
    states,
    succeed,
    unlock,
    unlocking,
    waiting,
)

from taskd.model import lifecycle
from taskd.model.definition import Retry
from taskd.model.errors import InvalidState
from taskd.model.record import replace
from taskd.model.step import Rescue, StepState
from taskd.model.task import Result, State, Task

IN_A_ROW = ["sequence", "a", "b", "c"]
SIDE_BY_SIDE = ["concurrence", "a", "b"]


# Locks


def test_plan_that_waits_for_a_lock_is_kept() -> None:
    task = waiting()

    assert (task.state, task.waits_for_lock, ready(task)) == (State.PLANNED, True, [])
    assert task.steps["plan"].kept == {"name": "Demo"}
    assert task.history[-1].event == "waiting"
    assert task.history[-1].detail == "it is locked"


def test_plan_that_has_its_lock_is_not_kept_any_longer() -> None:
    task = lifecycle.planned(waiting(), "Demo", ["sequence", "a"], [a_step("a")], later(5))

    plan = task.steps["plan"]
    assert (plan.state, plan.kept, plan.attempts) == (StepState.SUCCESS, None, 1)
    assert (plan.started_at, plan.ended_at, ready(task)) == (NOW, later(5), ["a"])


def test_task_whose_wait_failed_is_planned_anew() -> None:
    failed = lifecycle.failed(waiting(), "plan", an_error(), Retry(), Rescue.PAUSE, NOW)

    task = resume(failed)

    assert (failed.state, ready(task)) == (State.PAUSED, ["plan"])
    assert task.steps["plan"].kept is None


def test_cancelled_task_waits_for_no_lock() -> None:
    planning = cancel(begin(a_new_task(), "plan"))

    task = lifecycle.waits(planning, {"name": "Demo"}, "it is locked", NOW)

    assert (task.state, task.result) == (State.STOPPED, Result.CANCELLED)


def test_waiting_task_that_is_cancelled_tells_when_its_plan_ended() -> None:
    plan = lifecycle.cancel(waiting(), "ana", later(5)).steps["plan"]

    assert (plan.state, plan.ended_at) == (StepState.CANCELLED, later(5))


def test_task_that_is_passed_over_tells_why() -> None:
    task = lifecycle.passed_over(begin(a_new_task(), "plan"), "site:blog is locked", later(5))

    assert (task.result, task.ended_at, task.resumable) == (Result.CANCELLED, later(5), False)
    assert (task.steps["plan"].note, events(task)[-2:]) == (
        "site:blog is locked",
        ["cancelled", "stopped"],
    )
    assert (task.history[-2].who, task.history[-2].detail) == ("taskd", "site:blog is locked")


# Unlock


@pytest.mark.parametrize("state", ["scheduled", "planned", "running"])
def test_only_a_paused_task_is_unlocked_without_force(state: str) -> None:
    with pytest.raises(InvalidState, match=f"unlock task 1: it is {state}, not paused") as refused:
        lifecycle.unlock(a_task(state, [a_plan()]), "ana", NOW)

    hint = "taskctl cancel 1; if that is no use, taskctl unlock --force 1"
    assert refused.value.hint == hint


def test_stopped_task_cannot_be_unlocked() -> None:
    with pytest.raises(InvalidState, match=r"cannot unlock task 1: it is stopped \(success\)"):
        unlock(succeed(one_step(), "a"))


def test_unlocked_task_is_stopped_as_it_is() -> None:
    failed = fail(succeed(a_planned_task(IN_A_ROW), "a"), "b")

    task = lifecycle.unlock(failed, "ben", later(5), detail="nobody can mend it")

    assert (task.state, task.result, task.ended_at) == (State.STOPPED, Result.ERROR, later(5))
    assert (states(task), task.steps["b"]) == (states(failed), failed.steps["b"])
    assert (events(task)[-2:], task.output) == (["unlocked", "stopped"], "A")
    assert (task.history[-2].who, task.history[-2].detail) == ("ben", "nobody can mend it")


def test_no_step_begins_while_a_task_is_being_unlocked() -> None:
    task = unlock(begin(a_planned_task(SIDE_BY_SIDE), "a"))

    assert (task.state, ready(task)) == (State.RUNNING, [])
    assert states(task) == {"a": "running", "b": "pending"}


def test_task_stops_when_the_last_of_its_steps_is_killed() -> None:
    task = kill(unlock(begin(a_planned_task(SIDE_BY_SIDE), "a", "b")), "a")

    assert (task.state, states(task)) == (State.RUNNING, {"a": "error", "b": "running"})
    assert (kill(task, "b").state, kill(task, "b").result) == (State.STOPPED, Result.ERROR)


def test_killed_step_is_an_error_that_tells_of_it() -> None:
    task = lifecycle.killed(unlocking(), "a", later(5))

    step, error = task.steps["a"], task.steps["a"].error or an_error()
    assert (error.kind, error.message) == ("unlocked", "killed by unlock")
    assert (error.step, error.action) == ("a", "demo")
    assert (step.ended_at, step.call_id) == (later(5), None)
    assert task.history[-2].event == "step failed"
    assert task.history[-2].detail == "a: killed by unlock"


@pytest.mark.parametrize(
    "wait", [snooze, lambda task, name: lifecycle.due(snooze(task, name), name, NOW)]
)
def test_step_between_two_polls_is_killed_at_once(wait: Callable[[Task, str], Task]) -> None:
    task = unlock(wait(one_step(), "a"))

    assert (task.state, states(task), ready(task)) == (State.STOPPED, {"a": "error"}, [])
    assert task.steps["a"].due_at is None


def test_what_a_polling_step_has_kept_survives_an_unlock() -> None:
    task = begin(resume(unlock(snooze(one_step(), "a", {"job": 7}))), "a")

    assert (task.steps["a"].kept, task.steps["a"].attempts) == ({"job": 7}, 1)


def test_what_a_step_wants_to_keep_while_it_is_to_be_killed_is_kept() -> None:
    task = lifecycle.snoozed(unlocking(), "a", {"job": 7}, later(60), NOW)

    assert (task.state, states(task)) == (State.STOPPED, {"a": "error"})
    assert task.steps["a"].kept == {"job": 7}


def test_unlocked_task_stops_after_its_sub_tasks() -> None:
    task = unlock(delegate(one_step(), "a"))

    assert (task.state, states(task)) == (State.RUNNING, {"a": "suspended"})
    assert kill(task, "a").state is State.STOPPED


def test_step_that_waits_for_its_retry_is_resumed_with_all_attempts() -> None:
    retry = Retry(1, delay=10)
    stopped = unlock(fail(one_step(), "a", retry=retry))

    task = fail(resume(stopped), "a", retry=retry)

    assert (states(stopped), stopped.steps["a"].due_at) == ({"a": "pending"}, None)
    assert (task.state, states(task)) == (State.RUNNING, {"a": "pending"})


def test_step_that_succeeds_before_it_is_killed_is_not_run_again() -> None:
    unlocked = unlock(begin(a_planned_task(IN_A_ROW), "a"))

    stopped = lifecycle.succeeded(unlocked, "a", "A", NOW)

    assert (stopped.state, stopped.result, stopped.output) == (State.STOPPED, Result.ERROR, "A")
    assert ready(resume(stopped)) == ["b"]


def test_step_that_fails_before_it_is_killed_is_not_tried_again() -> None:
    task = lifecycle.failed(unlocking(), "a", an_error(), Retry(9), Rescue.SKIP, NOW)

    assert (task.result, states(task)) == (Result.ERROR, {"a": "error"})


def test_step_that_never_ran_before_it_was_killed_runs_after_resume() -> None:
    task = lifecycle.never_ran(unlocking(), "a", NOW)

    assert (task.result, states(task)) == (Result.ERROR, {"a": "pending"})
    assert ready(resume(task)) == ["a"]


def test_second_unlock_is_told_and_changes_nothing_else() -> None:
    once = unlocking()

    task = lifecycle.unlock(once, "ben", later(5), force=True, detail="in a hurry")

    assert replace(task, history=()) == replace(once, history=())
    assert (task.history[-1].who, task.history[-1].detail) == ("ben", "in a hurry")


def test_task_that_is_cancelled_while_it_is_unlocked_can_be_resumed() -> None:
    task = kill(cancel(unlocking()), "a")

    assert (task.result, task.resumable, task.cancelling) == (Result.ERROR, True, False)
    assert ready(resume(task)) == ["a"]


def test_steps_that_were_cancelled_before_an_unlock_run_after_resume() -> None:
    cancelled = cancel(begin(a_planned_task(SIDE_BY_SIDE), "a"))

    task = resume(kill(unlock(cancelled), "a"))

    assert (states(cancelled), ready(task)) == ({"a": "running", "b": "cancelled"}, ["a", "b"])


def test_what_the_plan_keeps_is_there_until_a_resume() -> None:
    task = lifecycle.unlock(paused(), "ana", NOW, kept=["site:blog"])

    assert task.steps["plan"].kept == ["site:blog"]
    assert resume(task).steps["plan"].kept is None


def test_task_that_is_unlocked_before_it_has_its_locks_is_planned_anew() -> None:
    stopped = unlock(waiting())

    task = resume(stopped)

    assert (stopped.steps["plan"].state, stopped.steps["plan"].kept) == (StepState.ERROR, None)
    assert (task.state, task.waits_for_lock, ready(task)) == (State.PLANNED, False, ["plan"])


def test_scheduled_task_that_was_unlocked_begins_with_its_resume() -> None:
    task = resume(unlock(a_new_task(state="scheduled")))

    assert (task.state, ready(task)) == (State.PLANNED, ["plan"])


def test_resumed_task_that_was_unlocked_is_as_if_it_had_been_paused() -> None:
    stopped = lifecycle.unlock(fail(succeed(a_planned_task(IN_A_ROW), "a"), "b"), "ana", NOW)

    task = resume(stopped)

    assert (task.state, task.result) == (State.RUNNING, Result.PENDING)
    assert (task.ended_at, task.output, task.resumable) == (None, None, False)
    assert states(task) == {"a": "success", "b": "pending", "c": "pending"}
    assert succeed(task, "b", "c").result is Result.WARNING


def test_task_that_was_unlocked_as_it_was_done_only_ends_with_its_resume() -> None:
    stopped = lifecycle.succeeded(unlocking(), "a", "A", NOW)

    task = resume(stopped)

    assert (task.state, task.result, task.output) == (State.STOPPED, Result.WARNING, "A")
