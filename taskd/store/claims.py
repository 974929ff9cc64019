"""Who holds and who waits for what, as people ask for it."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby
from typing import Any, TypeVar

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
T = TypeVar("T")


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
    rows = connection.execute(
        f"{_WAITING} WHERE task_id = ? ORDER BY resource, rank, operation", (task_id,)
    ).fetchall()
    return tuple(_behind_holders_and_nearest(connection, row) for row in rows)


def _behind_holders_and_nearest(connection: sqlite3.Connection, row: Row) -> Claim:
    lock, rank, kin = Lock(row[0], row[1]), row[8], row[9]
    holders = _strangers(connection, row, locks.holders(connection, lock))
    before = None if kin else waiting.nearest_before(connection, (rank, row[2]), lock)
    return _claim(row, [*holders, *([before] if before else [])])


def _in_line(connection: sqlite3.Connection, rows: Iterable[Row]) -> Iterator[Claim]:
    """The claims on one resource, each with those that it is behind."""
    # Of each operation those who hold it, and the last so far who waits: number and task.
    holders: dict[str, list[tuple[int, int]]] = {}
    waiters: dict[str, tuple[int, int]] = {}
    own: dict[str, tuple[int, int]] = {}  # of the task at hand
    for number, row in enumerate(rows):
        _, operation, task_id, *_, held, _, kin = row
        if held:
            holders.setdefault(operation, []).append((number, task_id))
            yield _claim(row, [])
            continue
        if all(each[1] != task_id for each in own.values()):
            waiters |= own
            own = {}
        holding = sorted(chain.from_iterable(_against(operation, holders)))
        against = list(dict.fromkeys(i for _, i in holding))
        before = [] if kin else sorted(_against(operation, waiters))[-1:]
        yield _claim(row, [*_strangers(connection, row, against), *(i for _, i in before)])
        own[operation] = number, task_id


def _against(operation: str, claims: Mapping[str, T]) -> list[T]:
    """Those of operations that stand against this one."""
    names = (operation, "") if operation else claims
    return [claims[name] for name in names if name in claims]


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
