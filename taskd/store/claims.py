"""Who holds and who waits for what, as people ask for it."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from taskd.model.lock import Claim, Lock
from taskd.store import locks, waiting
from taskd.store.times import time_of

_HELD = (
    "SELECT resource, operation, task_id, name, state, user, since, 1 AS held, 0 AS rank, 0 AS kin"
    " FROM locks JOIN tasks ON id = task_id"
)
_WAITING = (
    "SELECT resource, operation, task_id, name, state, user, since, 0 AS held, rank, kin"
    " FROM waiting JOIN tasks ON id = task_id"
)

Row = tuple[Any, ...]


def find(connection: sqlite3.Connection, resource: str | None = None) -> list[Claim]:
    """All claims, or those on one resource: of each resource who holds it, then who waits.

    What has been held for the longest time comes first.
    """
    where = "" if resource is None else "WHERE resource = ?1"
    rows = connection.execute(
        f"SELECT * FROM ({_HELD} {where} UNION ALL {_WAITING} {where})"
        " ORDER BY resource, held DESC, rank, CASE held WHEN 1 THEN since ELSE 0 END, task_id",
        () if resource is None else (resource,),
    )
    lines = [list(line) for _, line in groupby(rows, key=lambda row: row[0])]
    lines.sort(key=lambda line: (not line[0][7], line[0][6]))
    return [claim for line in lines for claim in _in_line(connection, line)]


def waited_for(connection: sqlite3.Connection, task_id: int) -> tuple[Claim, ...]:
    """What a task waits for, and behind whom."""
    rows = connection.execute(f"{_WAITING} WHERE task_id = ? ORDER BY 1, 2", (task_id,)).fetchall()
    return tuple(_behind_holders_and_nearest(connection, row) for row in rows)


def _behind_holders_and_nearest(connection: sqlite3.Connection, row: Row) -> Claim:
    lock, rank, kin = Lock(row[0], row[1]), row[8], row[9]
    holders = _strangers(connection, row, locks.holders(connection, lock))
    before = None if kin else waiting.nearest_before(connection, (rank, row[2]), lock)
    return _claim(row, [*holders, *([before] if before else [])])


def _in_line(connection: sqlite3.Connection, rows: Iterable[Row]) -> Iterator[Claim]:
    """The claims on one resource, each with those that it is behind."""
    holders: dict[int, list[Lock]] = {}
    waiters: dict[str, tuple[int, int]] = {}  # of each operation the last so far: number, task
    for number, row in enumerate(rows):
        resource, operation, task_id, *_, held, _rank, kin = row
        lock = Lock(resource, operation)
        if held:
            holders.setdefault(task_id, []).append(lock)
            yield _claim(row, [])
            continue
        against = [i for i, have in holders.items() if any(map(lock.conflicts_with, have))]
        before = [
            each
            for other, each in waiters.items()
            if lock.conflicts_with(Lock(resource, other)) and each[1] != task_id and not kin
        ]
        behind = [*_strangers(connection, row, against), *(i for _, i in sorted(before)[-1:])]
        yield _claim(row, behind)
        waiters[operation] = number, task_id


def _strangers(connection: sqlite3.Connection, row: Row, holders: list[int]) -> list[int]:
    """Those who are no ancestors of the task, whose locks do not stand against it."""
    if not row[9]:
        return holders
    above = connection.execute(
        "WITH RECURSIVE above(id) AS (SELECT parent_task_id FROM tasks WHERE id = ?"
        " UNION SELECT parent_task_id FROM tasks JOIN above USING (id)) SELECT id FROM above",
        (row[2],),
    )
    ancestors = {task_id for (task_id,) in above}
    return [task_id for task_id in holders if task_id not in ancestors]


def _claim(row: Row, behind: Iterable[int]) -> Claim:
    resource, operation, task_id, name, state, user, since, held, *_ = row
    return Claim(
        resource, operation, task_id, name, state, user, time_of(since), bool(held), tuple(behind)
    )
