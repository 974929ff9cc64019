"""What is under way: how long already, and its times, which are moved with the wall clock.

What is scheduled for a time of the wall clock is meant so, and stays.
"""

import sqlite3
from datetime import datetime

from taskd.store.times import to_number

_MOVES = (
    "UPDATE tasks SET started_at = started_at + :by"
    " WHERE state <> 'stopped' AND started_at IS NOT NULL",
    "UPDATE steps SET started_at = started_at + :by, due_at = due_at + :by"
    " WHERE task_id IN (SELECT id FROM tasks WHERE state <> 'stopped' AND state <> 'scheduled')"
    " AND ended_at IS NULL AND (started_at IS NOT NULL OR due_at IS NOT NULL)",
    "UPDATE delegations SET deadline = deadline + :by"
    " WHERE task_id IN (SELECT id FROM tasks WHERE state <> 'stopped') AND deadline IS NOT NULL",
)


def move(connection: sqlite3.Connection, by: int) -> None:
    """The wall clock was set by so many microseconds."""
    for statement in _MOVES:
        connection.execute(statement, {"by": by})


def long_running(connection: sqlite3.Connection, before: datetime) -> list[int]:
    """The tasks that run or are paused since before then, the oldest first."""
    rows = connection.execute(
        "SELECT id FROM tasks WHERE state <> 'stopped' AND state IN ('running', 'paused')"
        " AND state_updated_at < ? ORDER BY id",
        (to_number(before),),
    )
    return [task_id for (task_id,) in rows]
