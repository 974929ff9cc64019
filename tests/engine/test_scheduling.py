"""Tasks that are to begin later, after others, or by a time."""

import itertools
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import a_definition, an_error
from rehearsal import Rehearsal

from taskd.engine import clock, family
from taskd.engine.creating import Order, create
from taskd.engine.when import When
from taskd.executors.base import Call, CallKind, Failure, Found, Outcome, Planned, Success
from taskd.model.definition import StepDefinition
from taskd.model.errors import InvalidInput
from taskd.model.record import replace
from taskd.model.step import PLAN, Rescue
from taskd.model.task import ExecutionType, Result, State, Task
from taskd.store import meta, tasks

HOUR = 3600.0
WORK = a_definition("work")
SKIPS = replace(a_definition("skips"), steps=(StepDefinition(name="work", rescue=Rescue.SKIP),))
FAILS = replace(a_definition("fails"), steps=(StepDefinition(name="work", rescue=Rescue.FAIL),))
PLANS = a_definition("plans", planner="code")
FAILED = Failure(an_error())


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Rehearsal]:
    with closing(Rehearsal(tmp_path, [WORK, SKIPS, FAILS, PLANS], lambda _store: None, 1)) as made:
        yield made


def start(
    daemon: Rehearsal,
    label: str = "work",
    *,
    at: float | None = None,
    before: float | None = None,
    after: tuple[int, ...] = (),
    **order: Any,
) -> int:
    """Seconds from now. The id. Raises what the daemon refuses with."""

    def time(seconds: float | None) -> Any:
        return None if seconds is None else daemon.clock.now + timedelta(seconds=seconds)

    when = When(time(at), time(before), after)
    definition = daemon.catalog.get(label)

    def change(tx: Any) -> int:
        when.check(tx)
        made = create(tx, daemon.places, definition, {}, {}, Order(**order), "ana", 1000, when=when)
        return made.id

    answers = daemon.put(change)
    daemon.serve()
    if isinstance(answers[0], Exception):
        raise answers[0]
    return int(answers[0])


def get(daemon: Rehearsal, task_id: int) -> Task:
    return tasks.get_full(daemon.database.writer, task_id)


def state(daemon: Rehearsal, task_id: int) -> tuple[str, str]:
    task = get(daemon, task_id)
    return task.state, task.result


def call_of(daemon: Rehearsal, task_id: int) -> Call:
    [call] = [call for call in daemon.calls.running.values() if call.task_id == task_id]
    return call


def end(daemon: Rehearsal, task_id: int, outcome: Outcome | None = None) -> None:
    daemon.end(call_of(daemon, task_id), outcome or Success())
    daemon.serve()


def cancel(daemon: Rehearsal, task_id: int) -> None:
    daemon.put(lambda tx: family.cancel(tx, daemon.catalog, tx.get(task_id), "ana"))
    daemon.serve()


def why(daemon: Rehearsal, task_id: int) -> str:
    [error] = get(daemon, task_id).errors
    return error.message


# --at


def test_task_begins_at_its_time_and_not_before(daemon: Rehearsal) -> None:
    task_id = start(daemon, at=HOUR)

    daemon.pass_time(HOUR - 1)
    assert state(daemon, task_id) == ("scheduled", "pending")
    assert get(daemon, task_id).execution_type is ExecutionType.DELAYED
    daemon.pass_time(2)
    assert state(daemon, task_id) == ("running", "pending")


def test_task_whose_time_has_passed_while_no_daemon_ran_begins_at_once(daemon: Rehearsal) -> None:
    task_id = start(daemon, at=HOUR)

    daemon.clock.now += timedelta(seconds=2 * HOUR)
    daemon.die(Found())

    assert state(daemon, task_id) == ("running", "pending")


@pytest.mark.parametrize("seconds", [3 * HOUR, -2 * HOUR])
def test_time_of_the_wall_clock_is_meant_when_that_is_set(
    daemon: Rehearsal, seconds: float
) -> None:
    task_id = start(daemon, at=5 * HOUR)
    meant = get(daemon, task_id).start_at

    offset = clock.offset() - round(seconds * 1e6)
    daemon.put(lambda tx: meta.put(tx.write(), "offset", offset))
    daemon.serve()
    daemon.clock.now += timedelta(seconds=seconds)
    daemon.die(Found())
    daemon.pass_time((meant - daemon.clock.now).total_seconds() - 1)
    assert state(daemon, task_id) == ("scheduled", "pending")

    daemon.pass_time(2)
    assert state(daemon, task_id) == ("running", "pending")


def test_time_is_looked_at_twice_a_minute(daemon: Rehearsal) -> None:
    """So that it is seen when the clock was set, or the machine slept."""
    start(daemon, at=HOUR)
    rung = [daemon.clock.now]
    while daemon.clock.ring(rung[0] + timedelta(seconds=HOUR)):
        daemon.serve()
        rung.append(daemon.clock.now)

    assert len(rung) >= 120
    longest = max(after - before for before, after in itertools.pairwise(rung))
    assert longest <= timedelta(seconds=30.1)


def test_action_files_that_have_changed_are_read_before_it_begins(daemon: Rehearsal) -> None:
    task_id = start(daemon, at=HOUR)
    fresh = [False, False, True]
    daemon.director.has_fresh_code = lambda: fresh.pop(0)

    daemon.clock.now += timedelta(seconds=HOUR)
    daemon.director.look()
    daemon.serve()
    assert state(daemon, task_id) == ("scheduled", "pending")

    daemon.pass_time(1)
    assert fresh == []
    assert state(daemon, task_id) == ("running", "pending")


def test_nothing_begins_while_the_store_cannot_be_written(daemon: Rehearsal) -> None:
    """It may have to create tasks: then no other commit could succeed either."""
    task_id = start(daemon, at=HOUR)

    daemon.director.trouble.what = "the disk is full"
    daemon.pass_time(HOUR + 10)
    assert state(daemon, task_id) == ("scheduled", "pending")
    daemon.director.trouble.what = ""
    daemon.director.look()
    daemon.serve()

    assert state(daemon, task_id) == ("running", "pending")


def test_scheduled_task_can_be_cancelled(daemon: Rehearsal) -> None:
    task_id = start(daemon, at=HOUR)

    cancel(daemon, task_id)
    daemon.pass_time(2 * HOUR)

    assert state(daemon, task_id) == ("stopped", "cancelled")
    assert get(daemon, task_id).started_at is None


# --before


def test_task_that_waits_for_a_lock_past_its_time_is_an_error(daemon: Rehearsal) -> None:
    start(daemon, locks=["site:a"])
    task_id = start(daemon, locks=["site:a"], on_conflict="wait", before=60.0)

    daemon.pass_time(61)

    assert state(daemon, task_id) == ("stopped", "error")
    assert why(daemon, task_id).startswith("could not be started before ")
    end(daemon, 1)
    assert state(daemon, task_id) == ("stopped", "error")


def test_task_that_waits_for_a_slot_past_its_time_is_an_error(daemon: Rehearsal) -> None:
    start(daemon)
    task_id = start(daemon, before=60.0)

    daemon.pass_time(61)

    assert state(daemon, task_id) == ("stopped", "error")


def test_task_whose_time_has_passed_while_no_daemon_ran_is_an_error(daemon: Rehearsal) -> None:
    task_id = start(daemon, at=HOUR, before=2 * HOUR)

    daemon.clock.now += timedelta(seconds=3 * HOUR)
    daemon.die(Found())

    assert state(daemon, task_id) == ("stopped", "error")
    assert daemon.calls.running == {}


def test_task_that_has_begun_in_time_may_go_on(daemon: Rehearsal) -> None:
    task_id = start(daemon, before=60.0)

    daemon.pass_time(120)
    end(daemon, task_id)

    assert state(daemon, task_id) == ("stopped", "success")


def test_plan_alone_is_no_beginning(daemon: Rehearsal) -> None:
    task_id = start(daemon, "plans", before=60.0)
    assert call_of(daemon, task_id).kind is CallKind.PLAN

    daemon.pass_time(120)
    assert state(daemon, task_id) == ("planned", "pending")
    end(daemon, task_id, Planned("Plans", ["sequence", "work"]))

    assert state(daemon, task_id) == ("stopped", "error")
    assert [s.state for s in get(daemon, task_id).steps.values()] == ["success", "error"]


def test_plan_that_fails_past_the_time_keeps_its_error(daemon: Rehearsal) -> None:
    task_id = start(daemon, "plans", before=60.0)

    end(daemon, task_id, FAILED)
    assert state(daemon, task_id) == ("paused", "error")
    daemon.pass_time(120)

    assert state(daemon, task_id) == ("stopped", "error")
    assert why(daemon, task_id).endswith("; before: RuntimeError: it broke")


# --after


def test_task_begins_when_all_that_it_waits_for_have_stopped(daemon: Rehearsal) -> None:
    first, second = start(daemon), start(daemon)
    task_id = start(daemon, after=(first, second))
    assert get(daemon, task_id).after == (first, second)

    end(daemon, first)
    assert state(daemon, task_id) == ("scheduled", "pending")
    end(daemon, second)
    assert state(daemon, task_id) == ("running", "pending")


def test_task_may_wait_for_one_of_the_same_commit(daemon: Rehearsal) -> None:
    def change(when: When) -> Any:
        return lambda tx: create(tx, daemon.places, WORK, {}, {}, Order(), "ana", 1, when=when).id

    answers = daemon.put(change(When())), daemon.put(change(When(after=(1,))))
    daemon.serve()

    assert answers == ([1], [2])
    assert state(daemon, 2) == ("scheduled", "pending")
    end(daemon, 1)
    assert state(daemon, 2) == ("running", "pending")


@pytest.mark.parametrize(
    ("label", "outcome", "result"),
    [("work", Success(), Result.SUCCESS), ("skips", FAILED, Result.WARNING)],
)
def test_warning_is_as_good_as_success(
    daemon: Rehearsal, label: str, outcome: Outcome, result: Result
) -> None:
    first = start(daemon, label)
    task_id = start(daemon, after=(first,))

    end(daemon, first, outcome)

    assert get(daemon, first).result is result
    assert state(daemon, task_id) == ("running", "pending")


def test_cancelled_task_does_not_block(daemon: Rehearsal) -> None:
    first = start(daemon, at=HOUR)
    task_id = start(daemon, after=(first,))

    cancel(daemon, first)

    assert state(daemon, task_id) == ("running", "pending")


def test_error_is_one_of_those_that_wait_and_of_those_that_wait_for_them(
    daemon: Rehearsal,
) -> None:
    first = start(daemon, "fails")
    second = start(daemon, after=(first,))
    third = start(daemon, after=(second,))

    end(daemon, first, FAILED)

    assert state(daemon, second) == state(daemon, third) == ("stopped", "error")
    assert why(daemon, second) == f"task {first} (Demo) ended with error"
    assert why(daemon, third) == f"task {second} (work) ended with error"


def test_paused_task_keeps_them_waiting(daemon: Rehearsal) -> None:
    first = start(daemon)
    task_id = start(daemon, after=(first,))

    end(daemon, first, FAILED)

    assert get(daemon, first).state is State.PAUSED
    assert state(daemon, task_id) == ("scheduled", "pending")


def test_what_has_stopped_before_counts_too(daemon: Rehearsal) -> None:
    good, bad = start(daemon), start(daemon, "fails")
    end(daemon, good)
    end(daemon, bad, FAILED)

    assert state(daemon, start(daemon, after=(good, bad))) == ("stopped", "error")
    assert state(daemon, start(daemon, after=(good,))) == ("running", "pending")


def test_deleted_task_does_not_block(daemon: Rehearsal) -> None:
    first = start(daemon)
    end(daemon, first)
    daemon.put(lambda tx: tx.write().execute("DELETE FROM tasks WHERE id = ?", (first,)))
    daemon.serve()

    assert state(daemon, start(daemon, after=(first,))) == ("running", "pending")


def test_restart_loses_no_chain(daemon: Rehearsal) -> None:
    first = start(daemon)
    task_id = start(daemon, after=(first,))
    [call] = daemon.calls.running

    daemon.die(Found(running={call}))
    end(daemon, first)

    assert state(daemon, task_id) == ("running", "pending")


@pytest.mark.parametrize("time_first", [True, False])
def test_time_and_tasks_are_both_waited_for(daemon: Rehearsal, time_first: bool) -> None:
    first = start(daemon)
    task_id = start(daemon, at=HOUR, after=(first,))

    if time_first:
        daemon.pass_time(HOUR + 1)
    else:
        end(daemon, first)
    assert state(daemon, task_id) == ("scheduled", "pending")
    if time_first:
        end(daemon, first)
    else:
        daemon.pass_time(HOUR + 1)

    assert state(daemon, task_id) == ("running", "pending")


def test_plan_step_is_where_the_error_is(daemon: Rehearsal) -> None:
    first = start(daemon, "fails")
    task_id = start(daemon, after=(first,))

    end(daemon, first, FAILED)

    task = get(daemon, task_id)
    assert task.steps[PLAN].error is not None
    assert [event.event for event in task.history] == ["created", "not started", "stopped"]


# What is refused


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"at": -1.0}, "--at: .* is in the past"),
        ({"before": -1.0}, "--before: .* is in the past"),
        ({"at": HOUR, "before": HOUR}, "--before .* is not after --at"),
        ({"after": (7,)}, "--after: no task 7"),
        ({"after": (1,)}, "--after: no task 1"),  # which it would be itself
    ],
)
def test_what_can_never_be_is_refused_and_nothing_is_stored(
    daemon: Rehearsal, asked: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        start(daemon, **asked)

    assert tasks.last_id(daemon.database.writer) == 0


def test_refused_request_takes_back_what_it_has_chained(daemon: Rehearsal) -> None:
    first = start(daemon)

    def change(tx: Any) -> None:
        create(tx, daemon.places, WORK, {}, {}, Order(), "ana", 1, when=When(after=(first,)))
        raise InvalidInput("the second one is wrong")

    refused = daemon.put(change)
    daemon.serve()
    task_id = start(daemon, after=(first,))

    assert isinstance(refused[0], InvalidInput)
    assert task_id == first + 1
    end(daemon, first)
    assert state(daemon, task_id) == ("running", "pending")
