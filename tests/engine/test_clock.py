"""The wall clock is set: what is under way has the length of time that it had."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from builders import a_definition, an_error
from rehearsal import Rehearsal

from taskd.engine import clock
from taskd.engine.creating import Order, create
from taskd.executors.base import Failure, Found, Snoozed
from taskd.model.definition import Retry, StepDefinition
from taskd.model.record import replace
from taskd.model.step import Step
from taskd.model.task import Task
from taskd.store import meta, tasks

HOUR = 3600.0
FORWARD_AND_BACK = pytest.mark.parametrize("seconds", [3 * HOUR, -2 * HOUR])


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Rehearsal]:
    """With a task whose step runs."""
    work = StepDefinition(name="work", timeout=60.0, retry=Retry(1, delay=10.0))
    definition = replace(a_definition("demo"), steps=(work,))
    with closing(Rehearsal(tmp_path, [definition], lambda _store: None)) as made:
        made.put(lambda tx: create(tx, made.places, definition, {}, {}, Order(), "ana", 1000))
        made.serve()
        yield made


def set_clock(daemon: Rehearsal, seconds: float) -> None:
    """While no daemon runs. The real one stays: it is told to have been elsewhere before."""
    before = clock.offset() - round(seconds * 1e6)
    daemon.put(lambda tx: meta.put(tx.write(), "offset", before))
    daemon.serve()
    daemon.clock.now += timedelta(seconds=seconds)
    daemon.die(Found(running=set(daemon.calls.running)))


def task_of(daemon: Rehearsal) -> Task:
    return tasks.get_full(daemon.database.writer, 1)


def work(daemon: Rehearsal) -> Step:
    return task_of(daemon).steps["work"]


@FORWARD_AND_BACK
@pytest.mark.parametrize("outcome", [Snoozed(10.0), Failure(an_error())])
def test_step_waits_as_long_as_it_would_have(
    daemon: Rehearsal, seconds: float, outcome: Snoozed | Failure
) -> None:
    [call] = daemon.calls.running.values()
    daemon.end(call, outcome)
    daemon.serve()

    set_clock(daemon, seconds)
    daemon.pass_time(9)

    assert not daemon.calls.running
    daemon.pass_time(2)
    assert daemon.calls.running


@FORWARD_AND_BACK
def test_running_step_has_what_is_left_of_its_time(daemon: Rehearsal, seconds: float) -> None:
    [call] = daemon.calls.running.values()
    daemon.pass_time(20)
    set_clock(daemon, seconds)

    daemon.end(call, Snoozed(0.0))
    daemon.pass_time(1)

    [again] = daemon.calls.running.values()
    assert again.timeout == pytest.approx(40, abs=2)
    started_at = task_of(daemon).started_at
    assert started_at
    assert (daemon.clock.now - started_at).total_seconds() == pytest.approx(21, abs=2)
