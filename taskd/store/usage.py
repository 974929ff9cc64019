"""Which values are in use, the most used first: what a look at the newest rows tells."""

import sqlite3

from taskd.search import fields
from taskd.search.comparison import JSON_AS_TEXT
from taskd.search.fields import OBJECTS
from taskd.search.sql import ALWAYS, Sql

LOOKED_AT = 10_000  # rows
PARSED = 1_000  # rows with JSON, which takes longer to read
MOST = 20


def most_used(
    connection: sqlite3.Connection, name: str, begin: str, scope: Sql = ALWAYS
) -> list[str]:
    """Values of a field, or keys of `input` or `output`, that begin so, in any case.

    `scope` is what the caller may see of the tasks.
    """
    values = _values(name, scope)
    rows = connection.execute(
        f"SELECT value FROM ({values.text}) WHERE value IS NOT NULL"
        " AND substr(value, 1, length(?)) = ? COLLATE NOCASE"
        f" GROUP BY value ORDER BY count(*) DESC, value LIMIT {MOST}",
        (*values.values, begin, begin),
    )
    return [str(value) for (value,) in rows]


def _values(name: str, scope: Sql) -> Sql:
    """Those of the newest rows, each as often as it is there."""
    if name in OBJECTS:
        objects = _newest(f"tasks.{name}", "tasks", PARSED, scope)
        return Sql(
            f"SELECT key AS value FROM ({objects.text}), json_each(found)"
            " WHERE typeof(key) = 'text'",
            objects.values,
        )
    field = fields.find(name)
    assert field
    if field.key:
        objects = _newest(field.sql, "tasks", PARSED, scope)
        return Sql(
            f"SELECT {JSON_AS_TEXT} AS value FROM ({objects.text}), json_each(found)"
            " WHERE type NOT IN ('null', 'object', 'array') AND key = ?",
            (*objects.values, field.key),
        )
    found = _newest(field.other or field.sql, field.table or "tasks", LOOKED_AT, scope)
    return Sql(f"SELECT found AS value FROM ({found.text})", found.values)


def _newest(expression: str, table: str, rows: int, scope: Sql) -> Sql:
    task = "id" if table == "tasks" else "task_id"
    seen = scope
    if table != "tasks" and scope is not ALWAYS:
        seen = Sql(f"task_id IN (SELECT id FROM tasks WHERE {scope.text})", scope.values)
    return Sql(
        f"SELECT {expression} AS found FROM {table} WHERE {seen.text}"
        f" ORDER BY {task} DESC LIMIT {rows}",
        seen.values,
    )
