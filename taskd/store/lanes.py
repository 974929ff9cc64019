"""Lanes: where ready steps wait. A label that has slots of its own has a lane of its own.

So a label that is full costs nothing, however many of its steps wait: its lane is not asked. The
column `ready` of a step is 0 while it may not start, 1 in the common lane, and from 2 on the lane
of a label; which one, `meta` says, since the settings may be others when a store is opened again.
"""

import itertools
import json
import sqlite3
from collections.abc import Collection
from typing import TypeAlias

from taskd.store import meta

Lanes: TypeAlias = dict[str, int]  # by label

COMMON = 1


def known(connection: sqlite3.Connection) -> Lanes:
    return dict(json.loads(meta.get(connection, "lanes")))


def divide(connection: sqlite3.Connection, before: Lanes, labels: Collection[str]) -> Lanes:
    """A lane for each of `labels`; what waits is brought to where it belongs now."""
    lanes = {label: lane for label, lane in before.items() if label in labels}
    for label in before.keys() - lanes.keys():
        _move(connection, label, before[label], COMMON)
    numbers = (number for number in itertools.count(COMMON + 1) if number not in lanes.values())
    for label in labels:
        if label not in lanes:
            lanes[label] = next(numbers)
            _move(connection, label, COMMON, lanes[label])
    meta.put(connection, "lanes", json.dumps(lanes))
    return lanes


def _move(connection: sqlite3.Connection, label: str, source: int, target: int) -> None:
    connection.execute(
        "UPDATE steps SET ready = ? WHERE ready = ?"
        " AND task_id IN (SELECT id FROM tasks WHERE state <> 'stopped' AND label = ?)",
        (target, source, label),
    )


def first(connection: sqlite3.Connection, lane: int, limit: int) -> list[tuple[int, int, int]]:
    """(-priority, task, step number) of the first that may start."""
    # The lane stands in the statement, as do the terms of the partial indexes: SQLite would plan
    # a statement with a parameter there each time anew.
    where = "ready = 1" if lane == COMMON else f"ready = {lane:d} AND ready > 1"
    return connection.execute(
        f"SELECT -priority, task_id, number FROM steps WHERE {where}"
        " ORDER BY priority DESC, task_id, number LIMIT ?",
        (limit,),
    ).fetchall()
