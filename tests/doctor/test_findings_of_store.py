"""What the doctor says of the store and what is in it, each time with a real fault."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import damages
import pytest
from builders import an_error
from looking import Look
from stage import Stage

from taskd.doctor import chores as of_chores
from taskd.doctor import clock, locks, schedule, store
from taskd.engine.chores import CHORES
from taskd.executors.base import Failure
from taskd.store import check, chores, health
from taskd.store.chores import Last
from taskd.store.transaction import Transaction

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
[CHORE, *_] = CHORES


def change(stage: Stage, statement: str, *values: object) -> None:
    """As a mistake of the daemon would."""

    def mistake(tx: Transaction) -> None:
        tx.move_times(0)  # it knows of tasks what is in the store then
        tx.write().execute(statement, values)

    stage.director.do(mistake)


# The store itself


def test_whole_store_is_in_order(look: Look) -> None:
    assert look(store.integrity).severities == ["ok"]
    assert look(store.schema).severities == ["ok"]


def test_damaged_page_is_a_problem(tmp_path: Path) -> None:
    damages.begin(tmp_path / "s").close()
    path = tmp_path / "s" / "taskd.db"
    content = path.read_bytes()
    place = content.index(b"Copy 010") // damages.PAGE * damages.PAGE
    path.write_bytes(
        content[:place] + damages.garbage(damages.PAGE) + content[place + damages.PAGE :]
    )

    with check.reading(path) as connection:
        assert health.find_damage(connection, 10.0)


def test_store_that_is_too_large_is_read_in_part(tmp_path: Path) -> None:
    with closing(damages.begin(tmp_path / "s")) as database, database.snapshot() as connection:
        assert health.find_damage(connection, 0.0) is None
        assert health.find_damage(connection, 10.0) == ""


def test_store_of_another_schema_is_told(stage: Stage, look: Look) -> None:
    change(stage, "PRAGMA user_version = 3")

    assert look(store.schema).severities == ["warning"]


# Locks


def pause(stage: Stage) -> int:
    """A task that holds a lock."""
    task = stage.start("locked")
    stage.end(stage.next_call(), Failure(an_error()))
    assert stage.rest(task.id).state == "paused"
    return task.id


def test_lock_of_a_task_that_is_paused_for_long_is_told_with_what_helps(
    stage: Stage, look: Look
) -> None:
    task_id = pause(stage)

    assert look(locks.stale, HOUR).severities == ["ok"]
    told = look(locks.stale, 3 * DAY)

    assert told.severities == ["warning"]
    assert told.remedies == [f"taskctl show {task_id}; taskctl resume {task_id}"]


def test_lock_of_a_task_that_nothing_moves_is_a_problem(stage: Stage, look: Look) -> None:
    stage.start("locked")
    stage.next_call()
    change(stage, "UPDATE steps SET state = 'pending'")

    told = look(locks.stale, HOUR)

    assert told.severities == ["problem"]
    assert told.remedies == ["taskctl unlock --force 1"]


def test_lock_of_a_task_that_runs_for_long_is_only_noted(stage: Stage, look: Look) -> None:
    stage.start("locked")
    stage.next_call()

    assert look(locks.stale, HOUR).severities == ["ok"]
    assert look(locks.stale, 3 * DAY).severities == ["note"]


# Schedules


def test_what_was_to_begin_is_a_problem(stage: Stage, look: Look) -> None:
    stage.client.start("demo", at="1h")

    assert look(schedule.overdue, HOUR).severities == ["ok"]
    late = look(schedule.overdue, 2 * HOUR)

    assert late.severities == ["problem"]
    assert late.remedies == ["taskd restart"]
    assert look(schedule.overdue, 2 * HOUR, alone=True).remedies == ["taskd start"]


def test_drained_daemon_is_to_begin_nothing(stage: Stage, look: Look) -> None:
    stage.client.start("demo", at="1h")
    stage.client.drain()

    assert look(schedule.overdue, 2 * HOUR).severities == ["note"]


def a_logic(stage: Stage) -> int:
    return stage.client.start_recurring("demo", {"daily": "02:30"}).id


def test_disabled_and_failed_logics_are_told(stage: Stage, look: Look) -> None:
    first, second, _ = (a_logic(stage) for _ in range(3))
    assert look(schedule.recurring).messages == "3 active"
    stage.client.disable_recurring(first)
    change(stage, "UPDATE recurring_logics SET state = 'failed' WHERE id = ?", second)

    told = look(schedule.recurring)

    assert told.severities == ["warning", "note"]
    assert told.remedies == [
        f"taskctl recurring show {second}",
        f"taskctl recurring enable {first}",
    ]


@pytest.mark.parametrize(
    "mistake",
    ["UPDATE recurring_logics SET task_id = NULL", "UPDATE tasks SET state = 'stopped'"],
)
def test_active_logic_that_starts_nothing_is_a_problem_and_the_remedy_helps(
    stage: Stage, look: Look, mistake: str
) -> None:
    logic = a_logic(stage)
    change(stage, mistake)

    assert look(schedule.recurring).severities == ["problem"]
    stage.client.disable_recurring(logic)
    stage.client.enable_recurring(logic)

    assert look(schedule.recurring).severities == ["ok"]


# Chores


def note(stage: Stage, last: Last) -> None:
    stage.director.do(lambda tx: chores.put(tx.write(), CHORE.name, last))


@pytest.mark.parametrize(
    ("last", "later", "severity"),
    [
        (None, timedelta(0), "note"),
        ("at work", timedelta(0), "note"),
        ("done", timedelta(0), "ok"),
        ("done", DAY + HOUR, "ok"),
        ("done", DAY + 3 * HOUR, "warning"),
        ("failed", timedelta(0), "warning"),
    ],
)
def test_chores_are_told_with_their_times(
    stage: Stage, look: Look, last: str | None, later: timedelta, severity: str
) -> None:
    now = datetime.now(UTC)
    if last:
        ended = None if last == "at work" else now
        note(stage, Last(now, ended, f"it was {last}", last == "failed"))

    told = look(of_chores.daily, later)

    assert told.severities[0] == severity
    assert last not in ("done", "failed") or later > HOUR or f"it was {last}" in told.messages


# The clock


def test_clock_that_was_set_is_noted(stage: Stage, look: Look) -> None:
    stage.director.offset -= 3600_000_000
    stage.settle()

    assert "it was set by +3600.0 s" in look(clock.clock).messages


def test_clock_behind_the_store_is_a_warning(stage: Stage, look: Look) -> None:
    stage.start("demo")

    told = look(clock.clock, -HOUR)

    assert "warning" in told.severities
    assert "timedatectl" in told.remedies
    assert "warning" not in look(clock.clock).severities
