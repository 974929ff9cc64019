"""A migration, or the copy before it, is killed at any of its writes: there is the old store or
the new one."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from at_work import Workers
from faults import KILL, STORE, Faults

from taskd.store import check, migrations
from taskd.store.check import find_problems
from taskd.store.database import Database

OLD, NEW = 1, len(migrations.MIGRATIONS)

CALLS = 80  # about, on the store's files and the copy's
SOME = range(2, CALLS, 9)
OTHERS = [pytest.param(n, marks=pytest.mark.long) for n in range(1, CALLS) if n not in SOME]


@pytest.fixture
def store(root: Path) -> Path:
    """An old one, with a task."""
    (root / "s").mkdir()
    path = root / "s" / "taskd.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            f"PRAGMA application_id = {check.APPLICATION_ID}; PRAGMA journal_mode = WAL"
        )
        migrations.migrate(connection, 0, OLD)
        connection.execute(f"PRAGMA user_version = {OLD}")
        _add_task(connection)
        connection.commit()
    return path


def _add_task(connection: sqlite3.Connection) -> None:
    columns = [row[1:4] for row in connection.execute("PRAGMA table_info(tasks)")]
    values = [
        "NULL" if name == "id" or not needed else "0" if kind == "INTEGER" else "'x'"
        for name, kind, needed in columns
    ]
    connection.execute(f"INSERT INTO tasks VALUES ({', '.join(values)})")


def ask(path: Path, query: str) -> object:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchone()[0]


def is_whole(path: Path) -> bool:
    return (ask(path, "PRAGMA integrity_check"), ask(path, "SELECT count(*) FROM tasks")) == (
        "ok",
        1,
    )


@pytest.mark.parametrize("moment", [*SOME, *OTHERS])
def test_killed_migration_leaves_the_old_or_the_new_store(
    store: Path, workers: Workers, faults: Faults, moment: int
) -> None:
    workers.do(faults.on(STORE, at=moment, error=KILL), "open_store", store.parent)
    copies = [*store.parent.glob(f"*.schema-{OLD}")]

    assert find_problems(store) == []
    assert (ask(store, "PRAGMA user_version"), len(copies)) in [(OLD, 0), (OLD, 1), (NEW, 1)]
    assert all(is_whole(copy) for copy in [store, *copies])


@pytest.mark.parametrize("moment", [*SOME, *OTHERS])
def test_next_start_makes_up_for_a_killed_migration(
    store: Path, workers: Workers, faults: Faults, moment: int
) -> None:
    workers.do(faults.on(STORE, at=moment, error=KILL), "open_store", store.parent)

    Database(store).close()

    copy = store.with_name(f"{store.name}.schema-{OLD}")
    assert (ask(store, "PRAGMA user_version"), ask(copy, "PRAGMA user_version")) == (NEW, OLD)
    assert is_whole(store)
    assert is_whole(copy)


@pytest.mark.parametrize("moment", [*range(1, 120, 10)])
def test_killed_first_start_leaves_a_store_or_none(
    root: Path, workers: Workers, faults: Faults, moment: int
) -> None:
    store = root / "s" / "taskd.db"
    store.parent.mkdir()

    workers.do(faults.on(STORE, at=moment, error=KILL), "open_store", store.parent)

    assert find_problems(store) == []
    Database(store).close()
    assert sorted(file.name for file in store.parent.iterdir()) == ["taskd.db", "taskd.mark"]
