"""Room in the WAL and in the store's file: it is made while others write, and given back."""

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from taskd.engine.room import Room, give_back
from taskd.store import check
from taskd.store.database import CHECKPOINT, Database

PAGE = 4096
LOOP: Any = SimpleNamespace(call=lambda function: function())  # the test's own thread is the loop


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "state").mkdir()
    with closing(Database(tmp_path / "state" / "taskd.db")) as made:
        yield made


def write(database: Database, pages: int) -> None:
    database.writer.execute("CREATE TABLE IF NOT EXISTS much (data BLOB)")
    database.writer.execute("BEGIN")
    for _ in range(pages):
        database.writer.execute("INSERT INTO much VALUES (zeroblob(?))", (PAGE,))
    database.writer.execute("COMMIT")


def autocheckpoint(database: Database) -> int:
    return int(database.writer.execute("PRAGMA wal_autocheckpoint").fetchone()[0])


def wal_size(database: Database) -> int:
    return check.wal_of(database.path).stat().st_size


def test_wal_stays_short_by_the_room_that_is_made_and_by_that_alone(database: Database) -> None:
    with Room(LOOP, database, seconds=0) as room:
        write(database, 2 * CHECKPOINT)
        once = wal_size(database)
        for _ in range(5):
            room.make()
            write(database, 2 * CHECKPOINT)
        with_room = wal_size(database)
        for _ in range(5):
            write(database, 2 * CHECKPOINT)
        without = wal_size(database)

    assert with_room < 1.5 * once
    assert without > 5 * once


def test_room_is_made_when_it_is_time_or_at_once(database: Database) -> None:
    made = []
    database.checkpoint = lambda: made.append(1) or 0  # type: ignore[method-assign]  # to count
    with Room(LOOP, database, seconds=3600) as room:
        for _ in range(3):
            room.make()
        room.make(at_once=True)

    assert len(made) == 2


def test_afterwards_sqlite_makes_checkpoints_by_itself_again(database: Database) -> None:
    with Room(LOOP, database):
        assert autocheckpoint(database) == 0

    assert autocheckpoint(database) == CHECKPOINT


def test_file_becomes_small(database: Database) -> None:
    write(database, 3000)
    database.writer.execute("DROP TABLE much")
    database.checkpoint()
    large = database.path.stat().st_size

    give_back(LOOP, database, lambda: False)

    assert database.path.stat().st_size < large / 10


def test_where_the_store_was_moved_away_none_is_given_back_and_nothing_is_made(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    folder = database.path.parent
    folder.rename(folder.with_name("moved"))

    with caplog.at_level(logging.WARNING):
        give_back(LOOP, database, lambda: False)

    assert "cannot make room, or give it back" in caplog.text
    assert not folder.exists()
