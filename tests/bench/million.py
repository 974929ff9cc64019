"""A store as it is after years: a million tasks with three steps each.

Every value is made of the number of its task, so each store is the same. About one in five is of
one label, one in a thousand of the rarest and of the rarest user; one in two hundred is paused.
"""

from datetime import UTC, datetime
from pathlib import Path

from taskd.store.database import Database

TASKS = 1_000_000
BEGAN = 1_700_000_000  # seconds since 1970; then a task a second
WORDS = ("blog", "shop", "mail", "wiki", "shell", "backup", "deploy", "import")

_NUMBERS = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < :tasks)"
_TASK = {
    "id": "i",
    "label": "CASE WHEN i % 1000 = 0 THEN 'rare' WHEN i % 5 = 1 THEN 'common'"
    " ELSE 'label-' || (i * 7919 % 300) END",
    "name": "name",
    "folded_name": "lower(name)",
    "state": "state",
    "result": "CASE WHEN state <> 'stopped' OR i % 19 = 0 THEN 'error' WHEN i % 31 = 0"
    " THEN 'warning' ELSE 'success' END",
    "user": "CASE WHEN i % 1000 = 1 THEN 'rare' WHEN i % 2 THEN 'ana' ELSE 'bob' END",
    "uid": "1000",
    "execution_type": "'immediate'",
    "type": "'python'",
    "priority": "0",
    "created_at": "at",
    "start_at": "at",
    "started_at": "at",
    "ended_at": "CASE WHEN state = 'stopped' THEN at + 5000000 END",
    "state_updated_at": "at + 5000000",
    "progress": "1.0",
    "version": "i",
    "needed_help": "0",
    "cancelling": "0",
    "resumable": "0",
    "on_conflict": "'pause'",
    "flow": """'["sequence", "dump", "copy", "check"]'""",
    "input": """'{"site": "site-' || (i % 100) || '", "number": ' || i || '}'""",
}
_STEP = {
    "task_id": "i",
    "number": "number",
    "name": "CASE number WHEN 0 THEN 'plan' WHEN 1 THEN 'dump' WHEN 2 THEN 'copy' ELSE 'check' END",
    "kind": "CASE number WHEN 0 THEN 'plan' ELSE 'run' END",
    "state": "CASE WHEN failed THEN 'error' ELSE 'success' END",
    "weight": "1.0",
    "progress": "1.0",
    "note": "''",
    "attempts": "1",
    "interruptions": "0",
    "ready": "0",
    "priority": "0",
    "output": "'\"done\"'",
    "error": """CASE WHEN failed THEN '{"kind": "RuntimeError", "message": "disk ' || (i % 97)
        || ' is full"}' END""",
}


def fill(state: Path, tasks: int = TASKS) -> None:
    """Make such a store in the state directory of a daemon that does not run."""
    database = Database(state / "taskd.db")
    connection, given = database.writer, {"tasks": tasks}
    connection.execute("BEGIN")
    words = ", ".join(f"'{word}'" for word in WORDS)
    connection.execute(
        f"{_NUMBERS}, words(all_of) AS (SELECT json_array({words})) "
        + _insert("tasks", _TASK)
        + f" FROM (SELECT i, {_name('i')} AS name, ({BEGAN} + i) * 1000000 AS at,"
        " CASE WHEN i % 200 = 7 THEN 'paused' ELSE 'stopped' END AS state FROM n, words)",
        given,
    )
    connection.execute(
        f"{_NUMBERS} "
        + _insert("steps", _STEP)
        + " FROM (SELECT i, number, number = 3 AND (i % 19 = 0 OR i % 200 = 7) AS failed"
        " FROM n, (SELECT 0 AS number UNION SELECT 1 UNION SELECT 2 UNION SELECT 3))",
        given,
    )
    connection.execute(
        f"{_NUMBERS} INSERT INTO links SELECT i, 'site:' || (i % 5000) FROM n WHERE i % 2", given
    )
    connection.execute("UPDATE meta SET value = ? WHERE name = 'version'", (tasks,))
    connection.execute("COMMIT")
    database.close()


def _name(number: str) -> str:
    """Two words of few, a number, and once in a hundred thousand one that is found nowhere else."""
    word = "json_extract(all_of, '$[' || ({} % 8) || ']')"
    rare = f"CASE WHEN {number} % 100000 = 500 THEN ' Zebra' ELSE '' END"
    first, second = word.format(number), word.format(f"({number} / 8)")
    return f"{first} || ' No. ' || {number} || ' of the ' || {second} || {rare}"


def _insert(table: str, values: dict[str, str]) -> str:
    return f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())}"


def moment(share: float, tasks: int = TASKS) -> str:
    """When so large a share of the tasks had been started, as a query has it."""
    return f'"{datetime.fromtimestamp(BEGAN + int(share * tasks), UTC).isoformat()}"'
