"""Who waits for a lock: of each resource a line, by priority and age."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import TypeAlias

from taskd.model.lock import Lock
from taskd.store.times import to_number

Place: TypeAlias = tuple[int, int]  # in a line: priority with its sign changed, task

FRONT = (-1 << 62, 0)


@dataclass(frozen=True)
class Waiter:
    place: Place
    operation: str

    @property
    def task_id(self) -> int:
        return self.place[1]


class Kin(IntEnum):
    """Whether ancestors of one who waits hold locks."""

    NO = 0
    YES = 1
    SAME = 2  # also on the resource for which he waits


def join(
    connection: sqlite3.Connection, place: Place, locks: Iterable[tuple[Lock, Kin]], now: datetime
) -> None:
    connection.executemany(
        "INSERT INTO waiting (resource, rank, task_id, operation, since, kin)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [(lock.resource, *place, lock.operation, to_number(now), kin) for lock, kin in locks],
    )


def leave(connection: sqlite3.Connection, task_id: int) -> list[str]:
    """The resources in whose lines the task stood."""
    rows = connection.execute("SELECT resource FROM waiting WHERE task_id = ?", (task_id,))
    resources = [resource for (resource,) in rows]
    connection.execute("DELETE FROM waiting WHERE task_id = ?", (task_id,))
    return resources


def next_in_line(
    connection: sqlite3.Connection, resource: str, after: Place, held: set[str], passed: set[str]
) -> Waiter | None:
    """The next one behind `after` who may perhaps have the resource.

    `held` and `passed` are operations: those for which it is locked now, perhaps by an ancestor,
    and those for which somebody waits before him, which does not matter to kin.
    """
    sql_held, sql_passed = _without(held), _without(passed)
    row = connection.execute(
        "SELECT rank, task_id, operation FROM waiting WHERE resource = ?"
        f" AND (rank, task_id) > (?, ?) AND (kin = 2 OR {sql_held}) AND (kin > 0 OR {sql_passed})"
        " ORDER BY rank, task_id LIMIT 1",
        (resource, *after, *_named(held), *_named(passed)),
    ).fetchone()
    return row and Waiter((row[0], row[1]), row[2])


def nearest_before(connection: sqlite3.Connection, place: Place, lock: Lock) -> int | None:
    """The last of those who wait before `place` for what stands against `lock`."""
    row = connection.execute(
        "SELECT task_id FROM waiting WHERE resource = ? AND (rank, task_id) < (?, ?)"
        " AND (operation = ? OR operation = '' OR ? = '') ORDER BY rank DESC, task_id DESC LIMIT 1",
        (lock.resource, *place, lock.operation, lock.operation),
    ).fetchone()
    return row and int(row[0])


def kin(connection: sqlite3.Connection, lock: Lock) -> list[int]:
    """The tasks that wait for what `lock` stands against, and of which an ancestor holds locks."""
    rows = connection.execute(
        "SELECT DISTINCT task_id FROM waiting WHERE resource = ? AND kin > 0"
        " AND (operation = ? OR operation = '' OR ? = '')",
        (lock.resource, lock.operation, lock.operation),
    )
    return [task_id for (task_id,) in rows]


def _without(operations: set[str]) -> str:
    """Of those who wait: who conflicts with none of these operations."""
    if not operations:
        return "1"
    marks = "".join(", ?" for _ in _named(operations))
    return "0" if "" in operations else f"operation NOT IN (''{marks})"


def _named(operations: set[str]) -> list[str]:
    return [] if "" in operations else sorted(operations)
