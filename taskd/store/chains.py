"""Which tasks wait for others to stop."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Prerequisite:
    """A task that another one waits for."""

    id: int
    name: str
    state: str
    result: str


def add(
    connection: sqlite3.Connection, task_id: int, before: Iterable[int], *, strict: bool
) -> None:
    """`strict`: should one of them end with an error, so does the task."""
    rows = [(task_id, each, strict) for each in before]
    connection.executemany("INSERT OR IGNORE INTO prerequisites VALUES (?, ?, ?)", rows)


def exist(connection: sqlite3.Connection) -> bool:
    """Whether any task has ever waited for another one that is still there."""
    return connection.execute("SELECT 1 FROM prerequisites LIMIT 1").fetchone() is not None


def of_task(connection: sqlite3.Connection, task_id: int) -> tuple[int, ...]:
    """The ids of those that it waits, or has waited, for."""
    rows = connection.execute(
        "SELECT before_id FROM prerequisites WHERE task_id = ? ORDER BY before_id", (task_id,)
    )
    return tuple(before for (before,) in rows)


def in_the_way(connection: sqlite3.Connection, task_id: int) -> list[Prerequisite]:
    """Those that have not stopped, and those whose error is one of the task, too."""
    rows = connection.execute(
        "SELECT id, name, state, result FROM prerequisites JOIN tasks ON id = before_id"
        " WHERE task_id = ? AND (state <> 'stopped' OR (strict AND result = 'error')) ORDER BY id",
        (task_id,),
    )
    return [Prerequisite(*row) for row in rows]


def followers(connection: sqlite3.Connection, stopped: Iterable[int]) -> list[int]:
    """The tasks that wait for one of these."""
    found: set[int] = set()
    for before in stopped:
        rows = connection.execute(
            "SELECT task_id FROM prerequisites JOIN tasks ON id = task_id"
            " WHERE before_id = ? AND state = 'scheduled'",
            (before,),
        )
        found.update(task_id for (task_id,) in rows)
    return sorted(found)
