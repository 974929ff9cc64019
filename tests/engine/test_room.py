"""Room in the WAL and in the store's file: it is made while others write, and given back."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from taskd.engine.room import Room
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
    with Room(LOOP, database) as room:
        write(database, 2 * CHECKPOINT)
        once = wal_size(database)
        for _ in range(5):
            room.make(0)
            write(database, 2 * CHECKPOINT)
        with_room = wal_size(database)
        for _ in range(5):
            write(database, 2 * CHECKPOINT)
        without = wal_size(database)

    assert with_room < 1.5 * once
    assert without > 5 * once


def test_room_is_made_when_it_is_time(database: Database) -> None:
    made = []
    database.checkpoint = lambda: made.append(1) or 0  # type: ignore[method-assign]  # to count
    with Room(LOOP, database) as room:
        for _ in range(3):
            room.make(3600)
        room.make(0)

    assert len(made) == 2


def test_sqlite_makes_checkpoints_by_itself_again_when_nobody_makes_room(
    database: Database,
) -> None:
    room = Room(LOOP, database)
    with room:
        with room:
            assert autocheckpoint(database) == 0
        assert autocheckpoint(database) == 0

    assert autocheckpoint(database) == CHECKPOINT


def test_file_becomes_small(database: Database) -> None:
    write(database, 3000)
    database.writer.execute("DROP TABLE much")
    database.checkpoint()
    large = database.path.stat().st_size

    Room(LOOP, database).give_back(lambda: False)

    assert database.path.stat().st_size < large / 10


@pytest.mark.parametrize("error", [OSError(5, "EIO"), sqlite3.OperationalError("no room")])
def test_where_no_room_can_be_made_that_is_told_and_nobody_waits(
    database: Database, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> int:
        raise error

    database.checkpoint = fail  # type: ignore[method-assign]  # as a disk does
    with caplog.at_level(logging.WARNING), Room(LOOP, database) as room:
        for _ in range(3):
            room.make(0)
        by_itself = autocheckpoint(database)

    assert caplog.messages == [f"cannot make room, or give it back: {error}"]
    assert by_itself == CHECKPOINT
