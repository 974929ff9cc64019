"""Hooks to be called, written with the change that they are for; and what they said of a task."""

import sqlite3
from collections.abc import Collection, Iterable


def add(connection: sqlite3.Connection, calls: Iterable[tuple[int, str]]) -> None:
    """Task and name of the hook."""
    connection.executemany("INSERT INTO hooks (task_id, hook) VALUES (?, ?)", calls)


def find(
    connection: sqlite3.Connection, excluding: Collection[int], limit: int
) -> list[tuple[int, int, str]]:
    """Id, task and name of the first that wait."""
    rows = connection.execute(
        "SELECT id, task_id, hook FROM hooks ORDER BY id LIMIT ?", (limit + len(excluding),)
    )
    return [row for row in rows if row[0] not in excluding][:limit]


def get(connection: sqlite3.Connection, hook_id: int) -> tuple[int, str] | None:
    """Task and name; None when the task is gone."""
    where = "SELECT task_id, hook FROM hooks WHERE id = ?"
    row: tuple[int, str] | None = connection.execute(where, (hook_id,)).fetchone()
    return row


def remove(connection: sqlite3.Connection, hook_id: int) -> None:
    connection.execute("DELETE FROM hooks WHERE id = ?", (hook_id,))


def describe(connection: sqlite3.Connection, task_id: int, what: str, text: str) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO descriptions VALUES (?, ?, ?)", (task_id, what, text)
    )


def descriptions(connection: sqlite3.Connection, task_id: int) -> dict[str, str]:
    """What the author says of its `input`, `output` and `error`."""
    where = "SELECT what, text FROM descriptions WHERE task_id = ?"
    return dict(connection.execute(where, (task_id,)).fetchall())
