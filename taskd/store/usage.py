"""Which values are in use, the most used first: what a look at the newest rows tells."""

import sqlite3

from taskd.search import fields
from taskd.search.comparison import JSON_AS_TEXT
from taskd.search.fields import OBJECTS

LOOKED_AT = 10_000  # rows
PARSED = 1_000  # rows with JSON, which takes longer to read
MOST = 20


def most_used(connection: sqlite3.Connection, name: str, begin: str) -> list[str]:
    """Values of a field, or keys of `input` or `output`, that begin so, in any case."""
    rows = connection.execute(
        f"SELECT value FROM ({_values(name)}) WHERE value IS NOT NULL"
        " AND substr(value, 1, length(:begin)) = :begin COLLATE NOCASE"
        " GROUP BY value ORDER BY count(*) DESC, value LIMIT :most",
        {"key": name.partition(".")[2], "begin": begin, "most": MOST},
    )
    return [str(value) for (value,) in rows]


def _values(name: str) -> str:
    """Those of the newest rows, each as often as it is there."""
    if name in OBJECTS:
        objects = _newest(f"tasks.{name}", "tasks", PARSED)
        return f"SELECT key AS value FROM ({objects}), json_each(found) WHERE typeof(key) = 'text'"
    field = fields.find(name)
    assert field
    if field.key:
        objects = _newest(field.sql, "tasks", PARSED)
        return (
            f"SELECT {JSON_AS_TEXT} AS value FROM ({objects}), json_each(found)"
            " WHERE key = :key AND type NOT IN ('null', 'object', 'array')"
        )
    found = _newest(field.other or field.sql, field.table or "tasks", LOOKED_AT)
    return f"SELECT found AS value FROM ({found})"


def _newest(expression: str, table: str, rows: int) -> str:
    task = "id" if table == "tasks" else "task_id"
    return f"SELECT {expression} AS found FROM {table} ORDER BY {task} DESC LIMIT {rows}"
