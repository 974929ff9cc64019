"""What a new daemon makes of the steps that it finds: of their outcomes, and in words."""

import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from builders import a_definition
from rehearsal import Rehearsal

from taskd.engine.creating import Order, create
from taskd.engine.recovery import recover
from taskd.executors.base import Call, Found, Interrupted, NeverRan, Progress, Snoozed, Success
from taskd.executors.pool import Pool
from taskd.model.definition import Definition, StepDefinition
from taskd.model.record import replace
from taskd.model.step import Step
from taskd.model.task import Task
from taskd.store import meta, tasks


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Rehearsal]:
    with closing(at_work(tmp_path, a_definition("demo", ["work", "rest"]))) as made:
        yield made


def at_work(folder: Path, definition: Definition) -> Rehearsal:
    """A daemon with a task whose first step runs."""
    made = Rehearsal(folder, [definition], lambda _store: None)
    start(made)
    return made


def start(daemon: Rehearsal) -> None:
    definition = daemon.catalog.get("demo")
    daemon.put(lambda tx: create(tx, daemon.places, definition, {}, {}, Order(), "ana", 1000))
    daemon.serve()


def task_of(daemon: Rehearsal) -> Task:
    return tasks.get_full(daemon.database.writer, 1)


def work(daemon: Rehearsal) -> Step:
    return task_of(daemon).steps["work"]


def call_of(daemon: Rehearsal) -> Call:
    [call] = daemon.calls.running.values()
    return call


def told(daemon: Rehearsal) -> list[tuple[str, str]]:
    """What the history says since the task began."""
    events = [(event.event, event.detail) for event in task_of(daemon).history]
    return events[events.index(("started", "")) + 1 :]


def test_step_that_goes_on_is_taken_up(daemon: Rehearsal) -> None:
    call = call_of(daemon)

    daemon.die(Found(running={call.id}))

    assert told(daemon) == [("taken up again", "work: still running")]
    assert work(daemon).state == "running"
    daemon.end(call, Success("done"))
    daemon.serve()
    assert (work(daemon).output, work(daemon).attempts) == ("done", 1)


def test_step_ended_when_its_process_says_so(daemon: Rehearsal) -> None:
    call, ended_at = call_of(daemon), daemon.clock.now + timedelta(seconds=5)
    daemon.pass_time(60)

    daemon.die(Found(ended={call.id: Success("done")}, ended_at={call.id: ended_at}))

    assert told(daemon) == [("taken up again", "work: ended meanwhile")]
    assert (work(daemon).output, work(daemon).ended_at) == ("done", ended_at)
    assert task_of(daemon).steps["rest"].started_at > ended_at


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
def test_clock_that_was_set_makes_no_impossible_times(daemon: Rehearsal, seconds: float) -> None:
    call, ended_at = call_of(daemon), daemon.clock.now + timedelta(seconds=seconds)
    daemon.pass_time(60)

    daemon.die(Found(ended={call.id: Success()}, ended_at={call.id: ended_at}))

    assert work(daemon).started_at <= work(daemon).ended_at <= daemon.clock.now


def test_step_that_had_not_begun_is_given_out_again(daemon: Rehearsal) -> None:
    call = call_of(daemon)

    daemon.die(Found(ended={call.id: NeverRan()}))

    assert told(daemon) == [("taken up again", "work: not begun")]
    assert call_of(daemon).attempt == 1
    assert call_of(daemon).id != call.id


def test_step_of_which_nobody_knows_is_interrupted(daemon: Rehearsal) -> None:
    call = call_of(daemon)

    daemon.die(Found(ended={call.id: Interrupted("it died")}))

    assert told(daemon)[0] == ("step interrupted", "work: it died")
    assert task_of(daemon).state == "paused"
    assert work(daemon).error.kind == "interrupted"


def test_step_that_three_daemons_find_interrupted_is_poison(tmp_path: Path) -> None:
    again = StepDefinition(name="work", idempotent=True)
    with closing(at_work(tmp_path, replace(a_definition("demo"), steps=(again,)))) as daemon:
        for _ in range(3):
            daemon.die(Found(ended={call_of(daemon).id: Interrupted("it died")}))

        assert task_of(daemon).state == "paused"
        assert work(daemon).error.message == "poison: interrupted 3 times in a row; last: it died"
        assert work(daemon).attempts == 3


def test_step_of_which_there_is_no_trace_has_not_begun(daemon: Rehearsal) -> None:
    daemon.die(Found())

    assert told(daemon) == [("taken up again", "work: not begun")]


def test_step_of_which_a_crash_of_the_machine_left_no_trace_is_unknown(daemon: Rehearsal) -> None:
    meta.put(daemon.database.writer, "boot", "another one")

    daemon.die(Found())

    assert told(daemon)[0] == ("step interrupted", "work: the machine went down")


def test_daemon_that_dies_before_it_stores_what_it_found_forgets_no_crash_of_the_machine(
    daemon: Rehearsal,
) -> None:
    meta.put(daemon.database.writer, "boot", "another one")

    recover(daemon.database, daemon.director, cast(Pool, daemon.calls), daemon.places)
    daemon.die(Found())

    assert told(daemon)[0] == ("step interrupted", "work: the machine went down")


def test_what_a_step_said_that_has_ended_meanwhile_is_kept(daemon: Rehearsal) -> None:
    call = call_of(daemon)

    said = [(call.id, Progress(None, external_id="x-7")), (call.id, Progress(0.5, "half"))]
    daemon.die(Found(ended={call.id: Snoozed(60)}, said=said))

    assert task_of(daemon).external_id == "x-7"
    assert (work(daemon).progress, work(daemon).note) == (0.5, "half")


def test_log_says_in_one_line_what_was_found(
    daemon: Rehearsal, caplog: pytest.LogCaptureFixture
) -> None:
    start(daemon)
    first, second = daemon.calls.running
    caplog.set_level(logging.INFO)

    daemon.die(Found(running={first}, ended={second: Success()}))

    [line] = [record.getMessage() for record in caplog.records]
    assert line == "took up the steps of an earlier daemon: 1 still running, 1 ended meanwhile"


def test_daemon_that_finds_nothing_says_nothing(
    daemon: Rehearsal, caplog: pytest.LogCaptureFixture
) -> None:
    daemon.end(call_of(daemon), Snoozed(60))
    daemon.serve()
    caplog.set_level(logging.INFO)

    daemon.die(Found())

    assert caplog.records == []
