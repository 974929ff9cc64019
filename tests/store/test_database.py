"""Which files are used as a store, and which are refused and left as they are."""

import contextlib
import sqlite3
import time
from pathlib import Path

import pytest
from sqlite_utils import Database as Schema

import taskd
from taskd.model.errors import StoreError
from taskd.store import migrations
from taskd.store.check import APPLICATION_ID
from taskd.store.database import LONG_WAL, PATIENCE, Database
from taskd.store.migrations import MIGRATIONS


def value(path: Path, query: str) -> object:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchone()[0]


def run(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(statement)


def make(path: Path) -> Path:
    Database(path).close()
    return path


def test_new_store_is_durable_and_ours(tmp_path: Path) -> None:
    database = Database(tmp_path / "taskd.db")

    found = [
        database.writer.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("application_id", "user_version", "journal_mode", "synchronous")
    ]

    assert found == [APPLICATION_ID, len(MIGRATIONS), "wal", 2]
    database.close()


def test_store_opened_again_is_the_same(tmp_path: Path) -> None:
    path = make(tmp_path / "taskd.db")
    identity = value(path, "SELECT value FROM meta WHERE name = 'store'")

    make(path)

    assert value(path, "SELECT value FROM meta WHERE name = 'store'") == identity
    assert {file.name for file in tmp_path.iterdir()} == {"taskd.db", "taskd.mark"}


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (f"PRAGMA user_version = {len(MIGRATIONS) + 1}", "this taskd knows"),
        ("PRAGMA application_id = 17", "it is not a store of taskd"),
    ],
)
def test_newer_or_foreign_store_is_refused_and_left_alone(
    tmp_path: Path, statement: str, reason: str
) -> None:
    path = make(tmp_path / "taskd.db")
    run(path, f"PRAGMA journal_mode = DELETE; {statement}")
    content = path.read_bytes()

    with pytest.raises(StoreError, match=reason):
        Database(path)

    assert path.read_bytes() == content
    assert {file.name for file in tmp_path.iterdir()} == {"taskd.db", "taskd.mark"}


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "taskd.db"
    path.write_bytes(b"a letter to the bank\n" * 500)

    with pytest.raises(StoreError, match="file is not a database"):
        Database(path)

    assert path.read_bytes() == b"a letter to the bank\n" * 500


def test_store_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Database(tmp_path / "nowhere" / "taskd.db")


def test_migration_copies_the_store_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "taskd.db")
    monkeypatch.setattr(
        migrations,
        "MIGRATIONS",
        (*MIGRATIONS, lambda database: database.execute("CREATE TABLE later (name)")),
    )

    make(path)

    copy = tmp_path / f"taskd.db.schema-{len(MIGRATIONS)}"
    assert value(path, "SELECT count(*) FROM later") == 0
    assert value(path, "PRAGMA user_version") == len(MIGRATIONS) + 1
    assert value(copy, "PRAGMA user_version") == len(MIGRATIONS)
    assert value(copy, "SELECT count(*) FROM tasks") == 0


def test_failing_migration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "taskd.db")

    def fail_half_way(database: Schema) -> None:
        database.execute("CREATE TABLE later (name)")
        database.execute("INSERT INTO nowhere VALUES (1)")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, fail_half_way))

    with pytest.raises(StoreError, match="nowhere"):
        Database(path)

    assert value(path, "PRAGMA user_version") == len(MIGRATIONS)
    assert value(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'later'") == 0


def test_snapshot_is_of_one_moment(tmp_path: Path) -> None:
    database = Database(tmp_path / "taskd.db")

    with database.snapshot() as snapshot:
        before = snapshot.execute("SELECT count(*) FROM meta").fetchone()
        database.writer.execute("INSERT INTO meta VALUES ('new', 1)")
        after = snapshot.execute("SELECT count(*) FROM meta").fetchone()

    assert before == after
    database.close()


def test_snapshot_cannot_write(tmp_path: Path) -> None:
    database = Database(tmp_path / "taskd.db")

    with database.snapshot() as snapshot, pytest.raises(sqlite3.OperationalError, match="readonly"):
        snapshot.execute("INSERT INTO meta VALUES ('new', 1)")

    database.close()


def test_checkpoint_hardly_waits_for_who_reads_for_long(database: Database) -> None:
    database.writer.execute("CREATE TABLE large (content)")
    with contextlib.closing(sqlite3.connect(database.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM large").fetchone()
        database.writer.execute("INSERT INTO large VALUES (zeroblob(?))", (2 * LONG_WAL * 4096,))
        database.checkpoint()

        begin = time.monotonic()
        size = database.checkpoint()

    assert time.monotonic() - begin < PATIENCE / 2
    assert size > LONG_WAL * 4096
    assert database.writer.execute("PRAGMA busy_timeout").fetchone() == (PATIENCE * 1000,)


def test_nothing_but_the_connection_that_writes_makes_checkpoints() -> None:
    """Before 3.51.3 SQLite loses commits where two connections write and checkpoint at once."""
    sources = [path.read_text() for path in Path(taskd.__file__).parent.rglob("*.py")]
    lines = [line for source in sources for line in source.splitlines() if "wal_checkpoint" in line]

    assert lines
    assert all("self.writer.execute(" in line for line in lines)
