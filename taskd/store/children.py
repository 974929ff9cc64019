"""Which tasks a step waits for: its sub-tasks, by the position in which it asked for them."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from taskd.store.times import time_of, to_number


@dataclass(frozen=True)
class Child:
    position: int
    id: int
    state: str
    result: str


def add(
    connection: sqlite3.Connection,
    task_id: int,
    step: int,
    children: Iterable[int],
    concurrency: int | None,
) -> None:
    row = (task_id, step, concurrency)
    connection.execute("INSERT OR REPLACE INTO delegations VALUES (?, ?, ?, NULL)", row)
    rows = [(task_id, step, position, child) for position, child in enumerate(children)]
    connection.executemany("INSERT INTO children VALUES (?, ?, ?, ?)", rows)


def set_deadline(
    connection: sqlite3.Connection, task_id: int, step: int, deadline: datetime
) -> None:
    """Until when the step waits for them."""
    connection.execute(
        "UPDATE delegations SET deadline = ? WHERE task_id = ? AND step = ?",
        (to_number(deadline), task_id, step),
    )


def deadlines(connection: sqlite3.Connection) -> list[tuple[int, str, datetime]]:
    """Task, name of the step and deadline of those that wait for sub-tasks now."""
    rows = connection.execute(
        "SELECT delegations.task_id, name, deadline FROM delegations"
        " JOIN steps ON steps.task_id = delegations.task_id AND number = step"
        " WHERE deadline IS NOT NULL AND state = 'suspended'"
    )
    return [(task_id, name, time_of(deadline)) for task_id, name, deadline in rows]


def exchange(
    connection: sqlite3.Connection, task_id: int, step: int, position: int, child: int
) -> None:
    """Another task takes the place of the one that was there."""
    connection.execute(
        "UPDATE children SET child_id = ? WHERE task_id = ? AND step = ? AND position = ?",
        (child, task_id, step, position),
    )


def delegates(connection: sqlite3.Connection, task_id: int, step: int) -> bool:
    """Whether the step has asked for sub-tasks."""
    where = "SELECT 1 FROM delegations WHERE task_id = ? AND step = ?"
    return connection.execute(where, (task_id, step)).fetchone() is not None


def concurrency(connection: sqlite3.Connection, task_id: int, step: int) -> int | None:
    """How many of them may run at a time; None: all."""
    where = "SELECT concurrency FROM delegations WHERE task_id = ? AND step = ?"
    row = connection.execute(where, (task_id, step)).fetchone()
    return None if row is None else row[0]


def of_step(connection: sqlite3.Connection, task_id: int, step: int) -> list[Child]:
    rows = connection.execute(
        "SELECT position, child_id, state, result FROM children JOIN tasks ON id = child_id"
        " WHERE task_id = ? AND step = ? ORDER BY position",
        (task_id, step),
    )
    return [Child(*row) for row in rows]


def step_of(connection: sqlite3.Connection, child_id: int) -> int | None:
    """The number of the step for which a sub-task stands now."""
    row = connection.execute("SELECT step FROM children WHERE child_id = ?", (child_id,)).fetchone()
    return row and int(row[0])


def count(connection: sqlite3.Connection, task_id: int, step: int) -> dict[tuple[str, str], int]:
    """How many there are of each state and result."""
    rows = connection.execute(
        "SELECT state, result, count(*) FROM children JOIN tasks ON id = child_id"
        " WHERE task_id = ? AND step = ? GROUP BY state, result",
        (task_id, step),
    )
    return {(state, result): number for state, result, number in rows}


def held(connection: sqlite3.Connection, task_id: int, step: int, limit: int) -> list[int]:
    """The first of those that wait for others to end."""
    rows = connection.execute(
        "SELECT child_id FROM children JOIN tasks ON id = child_id"
        " WHERE task_id = ? AND step = ? AND state = 'scheduled' ORDER BY position LIMIT ?",
        (task_id, step, limit),
    )
    return [child for (child,) in rows]


def unfinished(connection: sqlite3.Connection, task_id: int) -> list[int]:
    """The sub-tasks of all its steps that have not stopped."""
    rows = connection.execute(
        "SELECT id FROM tasks WHERE parent_task_id = ? AND state <> 'stopped' ORDER BY id",
        (task_id,),
    )
    return [child for (child,) in rows]
