"""Lists of tasks: those that meet a condition, in an order, a page at a time.

`where` is what the caller asks for, `scope` what it may see of the tasks at all.

A page begins behind the last task of the one before, by what both are sorted by: page 5,000 is
found as quickly as the first, and what comes and goes meanwhile moves no other task.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taskd.model.task import Task
from taskd.search.order import Order
from taskd.search.sql import ALWAYS, Sql
from taskd.store import tasks
from taskd.store.times import to_number

NEWEST_FIRST = Order()


@dataclass(frozen=True)
class Place:
    """A task's place in a list: what it is sorted by, and its id."""

    value: Any
    task_id: int


def find_page(
    connection: sqlite3.Connection,
    where: Sql,
    order: Order,
    after: Place | None,
    limit: int,
    now: datetime,
    scope: Sql = ALWAYS,
) -> tuple[list[Task], Place | None]:
    """At most `limit` tasks, without their steps and what may be large; the last one's place."""
    found: list[tuple[Any, ...]] = []
    for statement in statements(where & scope, order, after, now):
        if len(found) < limit:
            values = (*statement.values, limit - len(found))
            found += connection.execute(statement.text, values)
    place = Place(*found[-1][:2]) if found else None
    return [tasks.from_row(row[1:], {}) for row in found], place


def ids(
    connection: sqlite3.Connection, where: Sql, below: int | None, limit: int, scope: Sql = ALWAYS
) -> list[int]:
    """The newest first: at most `limit`, below that id."""
    test = where & scope & (ALWAYS if below is None else Sql("tasks.id < ?", (below,)))
    rows = connection.execute(
        f"SELECT tasks.id FROM tasks WHERE {test.text} ORDER BY tasks.id DESC LIMIT ?",
        (*test.values, limit),
    )
    return [task_id for (task_id,) in rows]


def explain(
    connection: sqlite3.Connection,
    where: Sql,
    order: Order,
    now: datetime,
    scope: Sql = ALWAYS,
) -> list[str]:
    """How SQLite finds the first page, in its own words."""
    found: list[str] = []
    for statement in statements(where & scope, order, None, now):
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement.text}", (*statement.values, 20))
        found += [row[3] for row in rows]
    return found


def statements(where: Sql, order: Order, after: Place | None, now: datetime) -> Iterator[Sql]:
    """One after the other they find the list; each asks, last, for how much of it.

    The ids first, for which an index may be enough: the rows of tasks are long.
    """
    by = order.place.replace("{now}", str(to_number(now)))
    way = "DESC" if order.descending else "ASC"
    sorting = f"tasks.id {way}" if order.name == "id" else f"{by} {way}, tasks.id {way}"
    for part in _parts(by, order, after):
        test = where & part
        ids = f"SELECT tasks.id FROM tasks WHERE {test.text} ORDER BY {sorting} LIMIT ?"
        yield Sql(
            f"SELECT {by}, tasks.id, {tasks.LISTED} FROM tasks WHERE tasks.id IN ({ids})"
            f" ORDER BY {sorting}",
            test.values,
        )


def _parts(by: str, order: Order, after: Place | None) -> list[Sql]:
    """What is left of the list, in parts that an index can find.

    Where nothing is set, that comes last in a descending list and first in an ascending one.
    """
    if order.name == "id":
        return [_behind(order, "tasks.id", after.task_id)] if after else [ALWAYS]
    known, unset = Sql(f"{by} IS NOT NULL"), Sql(f"{by} IS NULL")
    parts = [known, unset] if order.descending else [unset, known]
    if after is None:
        return parts
    if after.value is None:
        here, behind = unset, _behind(order, "tasks.id", after.task_id)
    else:
        here, behind = known, _behind(order, f"{by}, tasks.id", after.value, after.task_id)
    return [here & behind, *parts[parts.index(here) + 1 :]]


def _behind(order: Order, places: str, *values: Any) -> Sql:
    marks = ", ".join("?" * len(values))
    return Sql(f"({places}) {'<' if order.descending else '>'} ({marks})", values)


def count(
    connection: sqlite3.Connection,
    where: Sql,
    most: int | None = None,
    scope: Sql = ALWAYS,
) -> int | None:
    """How many tasks there are; None above `most`."""
    limit = "" if most is None else f" LIMIT {most + 1}"
    test = where & scope
    (number,) = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM tasks WHERE {test.text}{limit})", test.values
    ).fetchone()
    return None if most is not None and number > most else int(number)


def holds(connection: sqlite3.Connection, where: Sql, task_id: int, scope: Sql = ALWAYS) -> bool:
    """Whether the task is one of those."""
    test = Sql("tasks.id = ?", (task_id,)) & where & scope
    found = connection.execute(f"SELECT 1 FROM tasks WHERE {test.text}", test.values).fetchone()
    return found is not None
