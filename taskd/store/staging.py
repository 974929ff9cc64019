"""What an import has sent: on disk beside the store until all of it is there and found good."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from taskd.model.errors import InvalidInput
from taskd.store import adapters  # noqa: F401  # for what it tells sqlite3
from taskd.store.admission import COLUMNS
from taskd.store.arrivals import Arrival

# `mark` tells tasks apart that have the same id.
_COLUMNS = {
    **COLUMNS,
    "tasks": (*COLUMNS["tasks"], "mark"),
    "logs": ("task_id", "name", "at", "text"),
}
_CREATE = [f"CREATE TABLE {name} ({', '.join(columns)})" for name, columns in _COLUMNS.items()]
_INSERTS = {
    name: f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})"
    for name, columns in _COLUMNS.items()
}
_INDEX = [f"CREATE INDEX {name}_of ON {name}(task_id)" for name in _COLUMNS if name != "tasks"]


@dataclass(frozen=True)
class LogPart:
    """Of the log `name` of a task: `text` stands at byte `at`."""

    task_id: int
    name: str
    at: int
    text: bytes


class Staging:
    """Tasks and logs, first as they come, then by id. One thread at a time."""

    def __init__(self, path: Path) -> None:
        """What `make` has begun."""
        self.path = path
        self._store = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):
            self._store.execute(f"PRAGMA {pragma}").fetchall()

    @classmethod
    def make(cls, path: Path) -> Self:
        """An empty one, in place of one that was never ended. Raises InvalidInput, as `add`."""
        with _told(path):
            path.unlink(missing_ok=True)
            path.touch(0o600)
            staging = cls(path)
            for statement in _CREATE:
                staging._store.execute(statement)
        return staging

    def add(self, arrivals: Sequence[Arrival], logs: Iterable[LogPart]) -> None:
        """Raises InvalidInput when there is no room for them."""
        rows = {name: [row for each in arrivals for row in each.rows[name]] for name in COLUMNS}
        rows["tasks"] = [(*each.rows["tasks"][0], each.mark) for each in arrivals]
        rows["logs"] = [(part.task_id, part.name, part.at, part.text) for part in logs]
        with _told(self.path):
            self._store.execute("BEGIN")
            for name, insert in _INSERTS.items():
                self._store.executemany(insert, rows[name])
            self._store.execute("COMMIT")

    def sort(self) -> int:
        """All are there. How many tasks; what is there twice is there once.

        Raises InvalidInput when one of them differs from itself, or there is no room.
        """
        with _told(self.path):
            for statement in ("CREATE INDEX tasks_of ON tasks(id, mark)", *_INDEX):
                self._store.execute(statement)
        count, ambiguous = self._store.execute(
            "SELECT count(DISTINCT id), (SELECT id FROM tasks GROUP BY id"
            " HAVING min(mark) < max(mark)) FROM tasks"
        ).fetchone()
        if ambiguous is not None:
            raise InvalidInput(f"task {ambiguous} is there twice, and not the same")
        lonely = self._store.execute(
            "SELECT task_id FROM logs WHERE task_id NOT IN (SELECT id FROM tasks)"
        ).fetchone()
        if lonely:
            raise InvalidInput(f"a log of task {lonely[0]} is there, and the task is not")
        return int(count)

    def identities(self) -> Iterator[tuple[int, str | None]]:
        """Id and origin of each task, by id."""
        yield from self._store.execute("SELECT DISTINCT id, origin FROM tasks ORDER BY id")

    def highest(self) -> int:
        """Of the ids; 0 where there is none."""
        return int(self._store.execute("SELECT coalesce(max(id), 0) FROM tasks").fetchone()[0])

    def page(self, after: int, limit: int) -> list[int]:
        """The next ids."""
        ids = self._store.execute(
            "SELECT DISTINCT id FROM tasks WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
        )
        return [task_id for (task_id,) in ids]

    def logs(self, first: int, last: int) -> Iterator[LogPart]:
        """Of the tasks from id `first` to `last`, each in the order in which they came."""
        rows = self._store.execute(
            "SELECT task_id, name, at, text FROM logs WHERE task_id BETWEEN ? AND ?"
            " ORDER BY task_id, rowid",
            (first, last),
        )
        return (LogPart(*row) for row in rows)

    def close(self) -> None:
        self._store.close()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise InvalidInput(
            f"cannot set aside what was sent: {error}", hint=f"make room beside {path}"
        ) from None
