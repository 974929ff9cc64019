"""How tasks of another store come in: those that an import has set aside (`taskd.store.staging`).

What they refer to, and is not there, is not referred to. An idempotency key that means another task
by now goes on meaning that one.
"""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from taskd.store.archive import DELEGATION, EVENT, PLACE, STEP, TASK

# What arrives, by table: the columns of its rows, one of which is the id of the task.
COLUMNS = {
    "tasks": (*TASK.names, "origin", "folded_name"),
    "steps": (*STEP.names, "task_id", "priority"),
    "links": ("task_id", "resource"),
    "history": (*EVENT.names, "task_id", "number"),
    "descriptions": ("what", "text", "task_id"),
    "prerequisites": ("task_id", "before_id"),
    "delegations": (*DELEGATION.names, "task_id"),
    "children": (*PLACE.names, "task_id"),
}

_NEW = "BETWEEN :first AND :last AND {0} NOT IN (SELECT value FROM json_each(:taken))"
_OF_NEW = f"WHERE new.task_id {_NEW.format('new.task_id')}"
_NEW_ONES = f"new.id {_NEW.format('new.id')}"
# Of a task what may mean another one comes after it.
_ALONE = ", ".join("NULL" if name in ("key", "parent_task_id") else name for name in TASK.names)
_ADMISSION = (
    f"INSERT OR IGNORE INTO main.tasks ({TASK.columns}, origin, folded_name, version)"
    f" SELECT {_ALONE}, origin, folded_name, (SELECT value FROM meta WHERE name = 'version')"
    f" FROM arriving.tasks AS new WHERE {_NEW_ONES}",
    "UPDATE OR IGNORE main.tasks SET key = new.key FROM arriving.tasks AS new"
    f" WHERE tasks.id = new.id AND new.key IS NOT NULL AND {_NEW_ONES}",
    "UPDATE main.tasks SET parent_task_id = parent.id"
    " FROM arriving.tasks AS new JOIN main.tasks AS parent"
    " ON parent.id = new.parent_task_id AND parent.id < new.id AND parent.origin IS new.origin"
    f" WHERE tasks.id = new.id AND {_NEW_ONES}",
    f"INSERT OR IGNORE INTO main.steps ({STEP.columns}, task_id, priority, ready)"
    f" SELECT {STEP.columns}, task_id, priority, 0 FROM arriving.steps AS new {_OF_NEW}",
    "INSERT OR IGNORE INTO main.links (task_id, resource)"
    f" SELECT task_id, resource FROM arriving.links AS new {_OF_NEW}",
    f"INSERT OR IGNORE INTO main.history ({EVENT.columns}, task_id, version, number)"
    f" SELECT {EVENT.columns}, task_id, 0, number FROM arriving.history AS new {_OF_NEW}",
    "INSERT OR IGNORE INTO main.descriptions (what, text, task_id)"
    f" SELECT what, text, task_id FROM arriving.descriptions AS new {_OF_NEW}",
    "INSERT OR IGNORE INTO main.prerequisites (task_id, before_id, strict)"
    " SELECT task_id, before_id, 0 FROM arriving.prerequisites AS new"
    " JOIN main.tasks ON tasks.id = task_id"
    f" JOIN main.tasks AS other ON other.id = before_id AND other.origin IS tasks.origin {_OF_NEW}",
    "INSERT OR IGNORE INTO main.delegations (step, concurrency, task_id)"
    f" SELECT step, concurrency, task_id FROM arriving.delegations AS new {_OF_NEW}",
    "INSERT OR IGNORE INTO main.children (step, position, task_id, child_id)"
    " SELECT step, position, parent_task_id, task_id FROM arriving.children AS new"
    f" JOIN main.tasks ON tasks.id = task_id AND parent_task_id IS NOT NULL {_OF_NEW}",
)


def admit(connection: sqlite3.Connection, first: int, last: int) -> dict[int, bool]:
    """Bring in the tasks of the store `arriving` that have an id from `first` to `last`.

    The ids that are taken, each with whether it is by the same task: they stay outside.
    """
    given: dict[str, Any] = {"first": first, "last": last}
    there = connection.execute(
        "SELECT new.id, tasks.origin IS new.origin FROM arriving.tasks AS new"
        " JOIN main.tasks USING (id) WHERE new.id BETWEEN :first AND :last",
        given,
    )
    passed = {task_id: bool(same) for task_id, same in there}
    for statement in _ADMISSION:
        connection.execute(statement, {**given, "taken": json.dumps([*passed])})
    return passed


def taken(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, str | None]:
    """Those that are taken, each with the origin of the task that has it."""
    rows = connection.execute(
        "SELECT id, origin FROM tasks WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps([*ids]),),
    )
    return dict(rows.fetchall())
