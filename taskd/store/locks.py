"""Locks and links as rows. A lock is taken and released in the transaction that makes it so."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from taskd.model.lock import Holding, Lock
from taskd.store.times import time_of, to_number


def conflicting(connection: sqlite3.Connection, lock: Lock) -> list[int]:
    """The tasks that hold what stands against `lock`, oldest first."""
    rows = connection.execute(
        "SELECT DISTINCT task_id FROM locks WHERE resource = ?"
        " AND (operation = ? OR operation = '' OR ? = '') ORDER BY since, task_id",
        (lock.resource, lock.operation, lock.operation),
    )
    return [task_id for (task_id,) in rows]


def take(
    connection: sqlite3.Connection, task_id: int, locks: Iterable[Lock], now: datetime
) -> None:
    for lock in locks:
        if lock.exclusive:
            connection.execute(
                "INSERT OR IGNORE INTO locks (task_id, resource, operation, since)"
                " VALUES (?, ?, ?, ?)",
                (task_id, lock.resource, lock.operation, to_number(now)),
            )
        else:
            connection.execute(
                "INSERT OR IGNORE INTO links (task_id, resource) VALUES (?, ?)",
                (task_id, lock.resource),
            )


def release(connection: sqlite3.Connection, task_id: int) -> None:
    connection.execute("DELETE FROM locks WHERE task_id = ?", (task_id,))


def of_task(connection: sqlite3.Connection, task_id: int) -> tuple[Lock, ...]:
    rows = connection.execute(
        "SELECT resource, operation FROM locks WHERE task_id = ? ORDER BY 1, 2", (task_id,)
    )
    return tuple(Lock(resource, operation) for resource, operation in rows)


def links_of_task(connection: sqlite3.Connection, task_id: int) -> tuple[Lock, ...]:
    rows = connection.execute("SELECT resource FROM links WHERE task_id = ? ORDER BY 1", (task_id,))
    return tuple(Lock(resource, exclusive=False) for (resource,) in rows)


def held(connection: sqlite3.Connection, resource: str | None = None) -> list[Holding]:
    """Every lock that is held, oldest first; of one resource if that is given."""
    rows = connection.execute(
        "SELECT resource, operation, task_id, name, state, user, since"
        " FROM locks JOIN tasks ON tasks.id = task_id"
        " WHERE ?1 IS NULL OR resource = ?1 ORDER BY since, task_id",
        (resource,),
    )
    return [_holding(row) for row in rows]


def _holding(row: tuple[Any, ...]) -> Holding:
    resource, operation, task_id, name, state, user, since = row
    return Holding(resource, operation, task_id, name, state, user, time_of(since))
