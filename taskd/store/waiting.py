"""Who waits for a lock: of each resource a line, by priority and age."""

import json
import sqlite3
from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import TypeAlias

from taskd.model.lock import Lock
from taskd.store.locks import against
from taskd.store.times import to_number

Place: TypeAlias = tuple[int, int]  # in a line: priority with its sign changed, task

FRONT = (-1 << 62, 0)

_KIN = "waiting INDEXED BY waiting_kin"  # they are few, which SQLite does not know
_FREE = (
    "kin = 2 OR NOT EXISTS (SELECT 1 FROM locks WHERE locks.resource = waiting.resource"
    " AND (waiting.operation = '' OR locks.operation IN (waiting.operation, '')))"
)


@dataclass(frozen=True)
class Waiter:
    """`free`: nobody holds what he wants of the resource, except perhaps those above him."""

    place: Place
    operation: str
    free: bool

    @property
    def task_id(self) -> int:
        return self.place[1]


class Kin(IntEnum):
    """Whether ancestors of one who waits hold locks."""

    NO = 0
    YES = 1
    SAME = 2  # also for an operation of the resource that he wants all of


def join(
    connection: sqlite3.Connection, place: Place, locks: Iterable[tuple[Lock, Kin]], now: datetime
) -> None:
    connection.executemany(
        "INSERT INTO waiting (resource, rank, task_id, operation, since, kin)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [(lock.resource, *place, lock.operation, to_number(now), kin) for lock, kin in locks],
    )


def leave(connection: sqlite3.Connection, task_id: int) -> list[Lock]:
    """What the task has waited for."""
    rows = connection.execute(
        "SELECT resource, operation FROM waiting WHERE task_id = ?", (task_id,)
    )
    left = [Lock(resource, operation) for resource, operation in rows]
    connection.execute("DELETE FROM waiting WHERE task_id = ?", (task_id,))
    return left


def next_in_line(
    connection: sqlite3.Connection, released: Lock, after: Place, passed: Set[str]
) -> Waiter | None:
    """The next one behind `after` whom `released` has kept waiting.

    `passed` are operations of those who go on waiting before him, which does not matter to kin.
    """
    condition, values = against(released)
    if passed.isdisjoint(("", released.operation)):
        source, others = "waiting", "(kin > 0 OR operation NOT IN (SELECT value FROM json_each(?)))"
        values += (json.dumps(list(passed)),)
    else:
        source, others = _KIN, "kin > 0"
    row = connection.execute(
        f"SELECT rank, task_id, operation, {_FREE} FROM {source} WHERE {condition} AND {others}"
        " AND (rank, task_id) > (?, ?) ORDER BY rank, task_id LIMIT 1",
        (*values, *after),
    ).fetchone()
    return row and Waiter((row[0], row[1]), row[2], bool(row[3]))


def nearest_before(connection: sqlite3.Connection, place: Place, lock: Lock) -> int | None:
    """The last of those who wait before `place` for what stands against `lock`."""
    condition, values = against(lock)
    row = connection.execute(
        f"SELECT task_id FROM waiting WHERE {condition} AND (rank, task_id) < (?, ?)"
        " ORDER BY rank DESC, task_id DESC LIMIT 1",
        (*values, *place),
    ).fetchone()
    return row and int(row[0])


def kin(connection: sqlite3.Connection, lock: Lock) -> list[int]:
    """The tasks that wait for what `lock` stands against, and of which an ancestor holds locks."""
    condition, values = against(lock)
    rows = connection.execute(f"SELECT task_id FROM {_KIN} WHERE {condition} AND kin > 0", values)
    return [task_id for (task_id,) in rows]
