"""Locks and links as rows. A lock is taken and released in the transaction that makes it so."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from taskd.model.lock import Lock
from taskd.store.times import to_number


def against(lock: Lock) -> tuple[str, tuple[str, ...]]:
    """What stands against `lock`, as a condition of SQL and its values."""
    if not lock.operation:
        return "resource = ?", (lock.resource,)
    return "resource = ? AND operation IN (?, '')", (lock.resource, lock.operation)


def holders(connection: sqlite3.Connection, lock: Lock) -> list[int]:
    """The tasks that hold what stands against `lock`, oldest first."""
    condition, values = against(lock)
    rows = connection.execute(
        f"SELECT task_id FROM locks WHERE {condition} ORDER BY since, task_id", values
    )
    return list(dict.fromkeys(task_id for (task_id,) in rows))


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
