"""What an import has sent: on disk beside the store until all of it is there and found good."""

import marshal
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from taskd.model.errors import InvalidInput
from taskd.store.arrivals import Arrival

_TABLES = (
    """CREATE TABLE arrivals (
        id INTEGER NOT NULL,
        origin TEXT NOT NULL,
        arrival BLOB NOT NULL,
        differs INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (id, origin)
    )""",
    """CREATE TABLE logs (
        number INTEGER PRIMARY KEY,
        task_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        at INTEGER NOT NULL,
        text BLOB NOT NULL
    )""",
    """CREATE INDEX logs_of_task ON logs(task_id)""",
)


@dataclass(frozen=True)
class LogPart:
    """Of the log `name` of a task: `text` stands at byte `at`."""

    task_id: int
    name: str
    at: int
    text: bytes


class Staging:
    """Tasks and logs by id. One thread at a time. What is there twice is there once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.unlink(missing_ok=True)  # one that was never ended
        path.touch(0o600)
        self._store = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
            self._store.execute(f"PRAGMA {pragma}").fetchall()
        for table in _TABLES:
            self._store.execute(table)

    def add(self, arrivals: Iterable[Arrival], logs: Iterable[LogPart]) -> None:
        """Raises InvalidInput when there is no room for them."""
        tasks = [(each.id, each.origin or "", marshal.dumps(each.rows)) for each in arrivals]
        parts = [(part.task_id, part.name, part.at, part.text) for part in logs]
        try:
            self._store.execute("BEGIN")
            self._store.executemany(
                "INSERT INTO arrivals (id, origin, arrival) VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
                " SET differs = 1 WHERE arrival <> excluded.arrival",
                tasks,
            )
            self._store.executemany(
                "INSERT INTO logs (task_id, name, at, text) VALUES (?, ?, ?, ?)", parts
            )
            self._store.execute("COMMIT")
        except sqlite3.Error as error:
            raise InvalidInput(
                f"cannot set aside what was sent: {error}; nothing was imported",
                hint=f"make room beside {self._path}",
            ) from None

    def count(self) -> int:
        (number,) = self._store.execute("SELECT count(*) FROM arrivals").fetchone()
        return int(number)

    def ambiguous(self) -> int | None:
        """An id that two tasks have, of different stores, or that one has at different times."""
        row = self._store.execute(
            "SELECT id FROM arrivals GROUP BY id HAVING count(*) > 1 OR max(differs)"
        ).fetchone()
        return row and int(row[0])

    def identities(self) -> Iterator[tuple[int, str | None]]:
        """Id and origin of each task, by id."""
        for task_id, origin in self._store.execute("SELECT id, origin FROM arrivals ORDER BY id"):
            yield task_id, origin or None

    def page(self, after: int, limit: int) -> list[Arrival]:
        """The next tasks by id."""
        rows = self._store.execute(
            "SELECT id, origin, arrival FROM arrivals WHERE id > ? ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [Arrival(i, origin or None, marshal.loads(rows)) for i, origin, rows in rows]

    def logs(self, first: int, last: int) -> Iterator[LogPart]:
        """Of the tasks from id `first` to `last`, each in the order in which they came."""
        rows = self._store.execute(
            "SELECT task_id, name, at, text FROM logs WHERE task_id BETWEEN ? AND ?"
            " ORDER BY task_id, number",
            (first, last),
        )
        return (LogPart(*row) for row in rows)

    def close(self) -> None:
        self._store.close()
        self._path.unlink(missing_ok=True)
