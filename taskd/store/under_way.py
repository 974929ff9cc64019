"""The times of what is under way, which are moved with the wall clock when that is set.

What is scheduled for a time of the wall clock is meant so, and stays.
"""

import sqlite3

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
    """By so many microseconds."""
    for statement in _MOVES:
        connection.execute(statement, {"by": by})
