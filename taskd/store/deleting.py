"""Deleting tasks for good: which, by plan; and their rows, a slice at a time.

The plan is a table in the memory of a connection of its own, so that millions of ids cost no more
than they must, what is counted beforehand is what is deleted, and no snapshot stays open.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from taskd.model.errors import NoMatch
from taskd.model.task import State
from taskd.search.sql import Sql

Versions: TypeAlias = Mapping[int, int]  # by task, the number of the commit that changed it last

_DOOMED = """CREATE TEMP TABLE doomed (
    id INTEGER PRIMARY KEY, version INTEGER NOT NULL, part INTEGER NOT NULL, top INTEGER NOT NULL
)"""
# Those below the tasks of a part, and below them …
_BELOW = """INSERT OR IGNORE INTO doomed WITH RECURSIVE below(id) AS (
    SELECT id FROM tasks WHERE parent_task_id IS NOT NULL
        AND parent_task_id IN (SELECT id FROM doomed WHERE part = :part)
    UNION SELECT tasks.id FROM tasks JOIN below ON parent_task_id = below.id
) SELECT id, version, :part, 0 FROM below JOIN tasks USING (id)"""
# A task that stands below another one of its part goes with that.
_TOPS = """UPDATE doomed SET top = 0 WHERE part = :part AND id IN (
    SELECT id FROM tasks WHERE parent_task_id IS NOT NULL
        AND parent_task_id IN (SELECT id FROM doomed WHERE part = :part))"""
# What has not stopped stays, unless it is to be ended first; and with it all of its family. What
# recurring logics have scheduled is theirs.
_ALONE = Sql(
    # What was unlocked may be resumed, and asks then how its sub-tasks ended.
    "NOT EXISTS (SELECT 1 FROM tasks AS parent"
    " WHERE parent.id = tasks.parent_task_id AND parent.resumable)"
)
_STAYING = """DELETE FROM doomed WHERE part = :part AND id IN (
    WITH RECURSIVE up(id) AS (
        SELECT id FROM tasks WHERE state <> 'stopped'
            AND (parent_task_id IS NOT NULL OR id IN (SELECT id FROM doomed)
                OR id IN (SELECT parent_task_id FROM tasks WHERE parent_task_id IS NOT NULL))
            AND NOT (state IN (SELECT value FROM json_each(:ended))
                AND id IN (SELECT id FROM doomed)
                AND NOT (state = 'scheduled' AND recurring_logic_id IS NOT NULL))
        UNION SELECT parent_task_id FROM tasks JOIN up USING (id) WHERE parent_task_id IS NOT NULL),
    family(id) AS (
        SELECT id FROM up
        UNION SELECT tasks.id FROM tasks JOIN family ON parent_task_id = family.id)
    SELECT id FROM family)"""
# All that there is of some families now; and whether it is as it was when it was planned.
_FAMILIES = """WITH RECURSIVE tree(id) AS (
    SELECT value FROM json_each(?)
    UNION SELECT tasks.id FROM tasks JOIN tree ON parent_task_id = tree.id)
SELECT tasks.id, tasks.version, state = 'stopped', tasks.version IS doomed.version
    FROM tasks JOIN tree USING (id) LEFT JOIN doomed USING (id) ORDER BY tasks.id"""
_RENEWED = """UPDATE doomed SET version = (SELECT version FROM tasks WHERE tasks.id = doomed.id)
    WHERE id IN (SELECT id FROM tasks WHERE id IN (SELECT value FROM json_each(?)))"""
_LEFT = """SELECT id FROM tasks WHERE parent_task_id IN (SELECT value FROM json_each(:found))
    AND id NOT IN (SELECT value FROM json_each(:found)) LIMIT 1"""
# All labels by an index, and of each the newest task.
_KEPT_PERIODS = """WITH RECURSIVE labels(label) AS (
    SELECT min(label) FROM tasks
    UNION ALL SELECT (SELECT min(label) FROM tasks WHERE label > labels.label) FROM labels
        WHERE label IS NOT NULL)
SELECT labels.label, json_extract(definition, '$.cleanup_after') AS period FROM labels
    JOIN tasks ON id = (SELECT max(id) FROM tasks WHERE tasks.label = labels.label)
    WHERE period IS NOT NULL"""

# What belongs to a task, by the columns that name it.
BELONGINGS = (
    ("steps", "task_id"),
    ("locks", "task_id"),
    ("links", "task_id"),
    ("history", "task_id"),
    ("delegations", "task_id"),
    ("children", "task_id"),
    ("children", "child_id"),
    ("hooks", "task_id"),
    ("descriptions", "task_id"),
    ("waiting", "task_id"),
    ("prerequisites", "task_id"),
    ("prerequisites", "before_id"),
)
COLUMNS = (
    "id", "label", "name", "state", "result", "user", "parent_task_id",
    "created_at", "started_at", "ended_at",
)  # fmt: skip
_TIME = "strftime('%Y-%m-%dT%H:%M:%SZ', {} / 1000000, 'unixepoch')"
_COLUMNS = ", ".join(_TIME.format(name) if name.endswith("_at") else name for name in COLUMNS)
_ENDABLE = (State.SCHEDULED, State.PLANNED, State.PAUSED)


class Plan:
    """Which tasks are to be deleted, each by the first part that means it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """`connection` may make tables beside the store."""
        self._connection = connection
        connection.execute(_DOOMED)

    def add(self, part: int, where: Sql, states: Iterable[State]) -> int:
        """What a part means, with all that stands below it. How many they are.

        In `states` beside stopped, those are meant, too, that can be ended before.
        """
        given = {"part": part, "ended": json.dumps([s for s in states if s in _ENDABLE])}
        meant = where & _ALONE
        self._connection.execute(
            f"INSERT OR IGNORE INTO doomed SELECT id, version, {part:d}, 1 FROM tasks"
            f" WHERE {meant.text}",
            meant.values,
        )
        for statement in (_BELOW, _TOPS, _STAYING):
            self._connection.execute(statement, given)
        return self.count(part)

    def count(self, part: int) -> int:
        where = "SELECT count(*) FROM doomed WHERE part = ?"
        return int(self._connection.execute(where, (part,)).fetchone()[0])

    def sample(self, part: int, most: int) -> list[tuple[int, str]]:
        """Id and name of the oldest."""
        return self._connection.execute(
            "SELECT id, name FROM doomed JOIN tasks USING (id) WHERE part = ? ORDER BY id LIMIT ?",
            (part, most),
        ).fetchall()

    def batches(self, part: int, size: int) -> Iterator[list[int]]:
        """The oldest first, without those that go with another one."""
        last = 0
        while batch := self._batch(part, last, size):
            yield batch
            last = batch[-1]

    def unfinished(self, tops: Sequence[int]) -> dict[int, int]:
        """Id → version of what has not stopped of these families, and is to be ended first."""
        return {i: v for i, v, stopped, same in self._families(tops) if same and not stopped}

    def renew(self, task_ids: Iterable[int]) -> None:
        """They were ended."""
        self._connection.execute(_RENEWED, (json.dumps(list(task_ids)),))

    def versions(self, tops: Sequence[int]) -> dict[int, int]:
        """Id → version of all that is to be deleted of these families: those of which nothing has
        changed, nor come, since it was planned."""
        found = self._families(tops)
        if all(stopped and same for _, _, stopped, same in found):
            return {task_id: version for task_id, version, *_ in found}
        if len(tops) == 1:
            return {}
        return {i: v for top in tops for i, v in self.versions([top]).items()}

    def _families(self, tops: Sequence[int]) -> list[tuple[int, int, bool, bool]]:
        return self._connection.execute(_FAMILIES, (json.dumps(tops),)).fetchall()

    def _batch(self, part: int, after: int, size: int) -> list[int]:
        (ids,) = self._connection.execute(
            "SELECT json_group_array(id) FROM (SELECT id FROM doomed"
            " WHERE id > ? AND part = ? AND top ORDER BY id LIMIT ?)",
            (after, part, size),
        ).fetchone()
        return list(json.loads(ids))


def kept_periods(connection: sqlite3.Connection) -> dict[str, str]:
    """`cleanup_after` of definitions that are kept with tasks, by label; the newest one's."""
    return dict(connection.execute(_KEPT_PERIODS).fetchall())


def rows(connection: sqlite3.Connection, task_ids: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """What people see of tasks in a table: their `COLUMNS`."""
    return connection.execute(
        f"SELECT {_COLUMNS} FROM tasks WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(task_ids),),
    )


def delete(connection: sqlite3.Connection, versions: Versions) -> list[int]:
    """The tasks that have stopped and are as they were at these versions, with their belongings.

    One row answers each question: for each row another thread may get the interpreter, and this one
    wait for it. Raises NoMatch when one of them stands above a task that is left.
    """
    (found,) = connection.execute(
        "SELECT json_group_array(tasks.id) FROM json_each(?) AS wanted JOIN tasks"
        " ON tasks.id = CAST(wanted.key AS INTEGER) AND version = wanted.value"
        " WHERE state = 'stopped'",
        (json.dumps(versions),),
    ).fetchone()
    left = connection.execute(_LEFT, {"found": found}).fetchone()
    if left:
        raise NoMatch(f"task {left[0]}, which belongs to one of them, has changed")
    for table, column in (*BELONGINGS, ("tasks", "id")):
        where = f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))"
        connection.execute(where, (found,))
    return list(json.loads(found))
