"""What `taskctl doctor` asks the store."""

import sqlite3
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from taskd.model.recurring import LogicState
from taskd.model.task import State
from taskd.store import migrations
from taskd.store.times import from_number, to_number

_MENDED = (
    (3, 51, 3),
    (3, 50, 7),
    (3, 44, 6),
)  # of each line of versions the first, the newest line first
_STEPS = 20_000  # of SQLite's machine between two looks at the clock
_MOST = 1000  # holders
_MOVES = (
    "EXISTS (SELECT 1 FROM steps WHERE steps.task_id = tasks.id AND"
    " (steps.state IN ('running', 'suspended') OR ready > 0 OR due_at IS NOT NULL))"
)


def flawed_sqlite() -> str:
    """Its version where it may damage a store to which two write at the same instant, else "".

    See https://sqlite.org/wal.html#walresetbug.
    """
    version = sqlite3.sqlite_version_info
    mended = version >= _MENDED[0] or any(
        version[:2] == first[:2] and version >= first for first in _MENDED
    )
    return "" if mended else sqlite3.sqlite_version


def schema(connection: sqlite3.Connection) -> tuple[int, int]:
    """The store's, and the newest that is known."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return version, len(migrations.MIGRATIONS)


def find_damage(connection: sqlite3.Connection, seconds: float) -> str | None:
    """The first that is found, "" where there is none; None: nothing was found in that time."""
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    finally:
        connection.set_progress_handler(None, 0)
    return "" if found == "ok" else str(found).splitlines()[-1]


def newest_change(connection: sqlite3.Connection) -> datetime | None:
    """When something has happened to the newest task."""
    row = connection.execute("SELECT state_updated_at FROM tasks ORDER BY id DESC LIMIT 1")
    found = row.fetchone()
    return found and from_number(found[0])


@dataclass(frozen=True)
class Holder:
    """A task with locks. `moves`: a step of it runs, or will by itself."""

    task_id: int
    state: State
    moves: bool


def old_holders(
    connection: sqlite3.Connection, long_ago: datetime, just_now: datetime
) -> list[Holder]:
    """Those in the same state since `long_ago`; and since `just_now`, where nothing moves."""
    rows = connection.execute(
        f"SELECT id, state, {_MOVES} AS moves FROM tasks"
        " WHERE id IN (SELECT task_id FROM locks) AND (state_updated_at < ?"
        " OR state <> 'paused' AND state_updated_at < ? AND NOT moves) ORDER BY id LIMIT ?",
        (to_number(long_ago), to_number(just_now), _MOST),
    )
    return [Holder(task_id, State(state), bool(moves)) for task_id, state, moves in rows]


def overdue(connection: sqlite3.Connection, before: datetime) -> tuple[int, datetime | None]:
    """How many steps were due then, and when the first was."""
    count, first = connection.execute(
        "SELECT count(*), min(due_at) FROM steps WHERE due_at < ?", (to_number(before),)
    ).fetchone()
    return count, from_number(first)


def logics_by_state(connection: sqlite3.Connection) -> dict[LogicState, list[object]]:
    found: dict[LogicState, list[object]] = defaultdict(list)
    for logic_id, state in connection.execute("SELECT id, state FROM recurring_logics ORDER BY id"):
        found[LogicState(state)].append(logic_id)
    return found


def logics_without_task(connection: sqlite3.Connection) -> list[object]:
    """The active ones that have a next run, but no task for it."""
    rows = connection.execute(
        "SELECT id FROM recurring_logics AS logic WHERE state = 'active'"
        " AND next_occurrence IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM tasks WHERE tasks.id = logic.task_id AND tasks.state <> 'stopped')"
    )
    return [logic_id for (logic_id,) in rows]


def task_ids(connection: sqlite3.Connection, first: int, last: int) -> set[int]:
    """Of the tasks that there are, from `first` to `last`."""
    rows = connection.execute("SELECT id FROM tasks WHERE id BETWEEN ? AND ?", (first, last))
    return {task_id for (task_id,) in rows}
