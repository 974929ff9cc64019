"""Opening the store: one connection that writes and checkpoints, and a pool of snapshots."""

import contextlib
import os
import queue
import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sqlite_utils import Database as Schema

from taskd.model.errors import StoreError
from taskd.store import check, mark, meta
from taskd.store.migrations import MIGRATIONS

SNAPSHOTS = 4

Connection = sqlite3.Connection
Lost = sqlite3.Error  # a statement failed, and perhaps the whole transaction is gone with it


_OF_THE_DISK = frozenset(
    (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_BUSY,  # another program has locked the file
    )
)


def is_of_the_disk(error: Lost) -> bool:
    """Rather than of what was to be written: the next change will meet it, too."""
    return _code(error) in _OF_THE_DISK


def is_full(error: Lost) -> bool:
    return _code(error) == sqlite3.SQLITE_FULL


def _code(error: Lost) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF  # the rest says more of the same


class Database:
    """The store in `path`, made when there is none. Raises StoreError when it must not be used.

    `writer` belongs to the director's thread. Whoever reads takes a `snapshot`. `accept_loss`: what
    is missing of it is given up.
    """

    def __init__(self, path: Path, *, accept_loss: bool = False) -> None:
        self.path = path
        check.admit(path, accept_loss=accept_loss)
        try:
            self.writer = _connect(path)
            _prepare(self.writer, path)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"cannot use {path}: {error}", hint=check.ELSEWHERE) from None
        self.mark = mark.Keeper(
            path, meta.get(self.writer, "store"), meta.get(self.writer, "version")
        )
        self._inode = path.stat().st_ino
        self._snapshots: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        for _ in range(SNAPSHOTS):
            self._snapshots.put(_connect_reader(path))

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection in one transaction: all that it reads is of one moment."""
        connection = self._snapshots.get()
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.execute("ROLLBACK")
            self._snapshots.put(connection)

    def committed(self, version: int) -> None:
        """The commit of that number is on disk."""
        self.mark.note(version)

    def is_in_place(self) -> bool:
        """Its file was neither removed nor moved."""
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False

    def close(self) -> None:
        while not self._snapshots.empty():
            self._snapshots.get().close()
        self.writer.close()  # as the last one, which empties the WAL
        self.mark.close(in_order=self.is_in_place())


class InMemory(Database):
    """A store that is gone when it is closed, for one thread at a time: for tests."""

    def __init__(self) -> None:
        self.path = Path(":memory:")
        self.writer = _open(self.path)
        _empty().backup(self.writer)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        yield self.writer

    def committed(self, version: int) -> None:
        """Nothing of it is to be found again."""

    def close(self) -> None:
        self.writer.close()


@cache
def _empty() -> sqlite3.Connection:
    """To be copied, which is faster than to make one."""
    connection = _open(Path(":memory:"))
    _prepare(connection, Path(":memory:"))
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # private, as its -wal
    return _open(path)


def _open(path: Path) -> sqlite3.Connection:
    # Made by one thread and used by another: the director's, which alone writes.
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _connect_reader(path: Path) -> sqlite3.Connection:
    connection = _connect(path)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA query_only = ON")
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    new = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if new:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute(f"PRAGMA application_id = {check.APPLICATION_ID}")
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: a commit that was answered survives a power cut. Group commit makes it cheap.
    connection.execute("PRAGMA synchronous = FULL")
    _migrate(connection, path, new)


def _migrate(connection: sqlite3.Connection, path: Path, new: bool) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == len(MIGRATIONS):
        return
    if not new:
        _copy(connection, path.with_name(f"{path.name}.schema-{version}"))
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in MIGRATIONS[version:]:
            migration(Schema(connection))
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:  # all or nothing, also where one is interrupted
        connection.execute("ROLLBACK")
        raise


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    """A copy of the store as it was, complete under its name or not there at all."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(part)) as copy:
        connection.backup(copy)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.rename(target)
