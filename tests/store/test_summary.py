"""The numbers of the dashboard, which come from indexes, are those that one counts by hand."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW, a_new_task, later

from taskd.model.record import replace
from taskd.model.task import Result, State, Task
from taskd.store import summary
from taskd.store.database import Connection, Database
from taskd.store.transaction import Transaction

DAY = 86400.0
ENDS = [Result.SUCCESS, Result.WARNING, Result.ERROR, Result.CANCELLED]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with closing(Database(tmp_path / "taskd.db")) as database:
        yield database.writer


def store(connection: Connection, tasks: list[Task]) -> None:
    tx = Transaction(connection)
    tx.begin(NOW)
    for task in tasks:
        tx.add(task)
    tx.flush()
    tx.commit()


def at_random(seed: int) -> Task:
    chance = random.Random(seed)
    state = chance.choice(list(State))
    result = {
        State.STOPPED: chance.choice(ENDS),
        State.PAUSED: chance.choice([Result.ERROR, Result.ERROR, Result.WARNING]),
    }.get(state, Result.PENDING)
    moments = [later(chance.uniform(-3, 0) * DAY) for _ in range(2)]
    began = state in (State.RUNNING, State.PAUSED) or chance.random() < 0.7
    task = a_new_task(name=f"No. {seed}")
    return replace(
        task,
        state=state,
        result=result,
        started_at=min(moments) if began else None,
        state_updated_at=max(moments),
    )


def by_hand(tasks: list[Task]) -> dict[tuple[State, Result], tuple[int, int]]:
    since = NOW - timedelta(days=1)
    totals: Counter[tuple[State, Result]] = Counter()
    recent: Counter[tuple[State, Result]] = Counter()
    for task in tasks:
        key = task.state, task.result
        moment = task.started_at if task.finished else task.state_updated_at
        totals[key] += 1
        recent[key] += moment is not None and moment >= since
    return {key: (totals[key], recent[key]) for key in totals}


@pytest.mark.parametrize("seed", range(4))
def test_numbers_are_those_counted_by_hand(connection: Connection, seed: int) -> None:
    tasks = [at_random(1000 * seed + number) for number in range(300)]
    store(connection, tasks)

    counts = summary.counts(connection, NOW - timedelta(days=1))

    found = {(each.state, each.result): (each.total, each.recent) for each in counts if each.total}
    assert found == by_hand(tasks)


def test_every_state_and_result_is_told_also_where_there_is_none(connection: Connection) -> None:
    counts = summary.counts(connection, NOW)

    assert [str(each.state) for each in counts] == (
        ["running", "paused", "planned", "scheduled"] + 4 * ["stopped"]
    )
    assert {each.total for each in counts} == {0}


def test_age_of_too_many_is_left_out(connection: Connection) -> None:
    store(connection, [at_random(number) for number in range(60)])

    counts = {(each.state, each.result): each for each in summary.counts(connection, NOW, most=3)}

    assert counts[State.PLANNED, Result.PENDING].recent is None
    assert counts[State.PLANNED, Result.PENDING].total > 3
    assert counts[State.STOPPED, Result.SUCCESS].recent is None
    assert counts[State.STOPPED, Result.ERROR].recent == 0


def test_latest_failures_are_by_their_beginning_and_without_paused_ones(
    connection: Connection,
) -> None:
    tasks = [at_random(number) for number in range(100)]
    store(connection, tasks)

    found = summary.latest_failed(connection, 5)

    bad = [
        (task.started_at, number)
        for number, task in enumerate(tasks, 1)
        if task.finished and task.result in (Result.ERROR, Result.WARNING) and task.started_at
    ]
    assert found == [number for _, number in sorted(bad, reverse=True)[:5]]
