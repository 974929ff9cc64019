"""Opening the store: one connection that writes and checkpoints, and a pool of snapshots."""

import contextlib
import os
import queue
import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from taskd.model.errors import StoreError
from taskd.store import check, files, mark, meta, migrations, reserve
from taskd.store.reserve import NO_ROOM, Reserve

SNAPSHOTS = 4
PATIENCE = 0.25  # seconds, with who else has locked the store: the daemon stands still meanwhile
CACHE, LARGE_CACHE = 2000, 16_000  # KiB of the connection that writes
LARGE_WAL = 64 << 20  # bytes
CHECKPOINT = 1000  # pages of the WAL, from which on SQLite brings them into the file when it can
LONG_WAL = 2000  # pages
READERS_PATIENCE = 0.02  # seconds, with who reads: short ones are done by then

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
        sqlite3.SQLITE_BUSY,
    )
)


def is_of_the_disk(error: Lost) -> bool:
    """Rather than of what was to be written: the next change will meet it, too."""
    return _code(error) in _OF_THE_DISK


def is_full(error: Lost) -> bool:
    shared = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHMSIZE
    return shared or _code(error) == sqlite3.SQLITE_FULL


def is_locked(error: Lost) -> bool:
    """By another program."""
    return _code(error) == sqlite3.SQLITE_BUSY


def is_mistake(error: Lost) -> bool:
    """Of ours: what was to be written breaks a rule of the schema, and nothing else is lost."""
    return _code(error) == sqlite3.SQLITE_CONSTRAINT


def _code(error: Lost) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF  # the rest says more of the same


class Database:
    """The store in `path`, made when there is none. Raises StoreError when it must not be used.

    `writer` belongs to the director's thread. Whoever reads takes a `snapshot`. `accept_loss`: what
    is missing of it is given up.
    """

    def __init__(self, path: Path, *, accept_loss: bool = False) -> None:
        self.path = path
        self.reserve = Reserve(path, check.wal_of(path))
        there = check.admit(path, accept_loss=accept_loss)
        try:
            self.reserve.lend()
            if not there:
                _make(path)
            self.writer = _open(path)
            _prepare(self.writer, path)
            identity, version = (meta.get(self.writer, name) for name in ("store", "version"))
            self.mark = mark.Keeper(path, identity, version)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"cannot use {path}: {error}", hint=_remedy(error)) from None
        self._snapshots: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        for _ in range(SNAPSHOTS):
            self._snapshots.put(_open_reader(path))
        self._files = self._find_files()
        (self._page,) = self.writer.execute("PRAGMA page_size").fetchone()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection in one transaction: all that it reads is of one moment."""
        connection = self._snapshots.get()
        try:
            with reading(connection):
                yield connection
        finally:
            self._snapshots.put(connection)

    @contextlib.contextmanager
    def beside(self) -> Iterator[sqlite3.Connection]:
        """A connection that reads the store, and may make tables in memory beside it."""
        with contextlib.closing(_open(f"{self.path.as_uri()}?mode=ro")) as connection:
            connection.execute("PRAGMA temp_store = MEMORY")
            yield connection

    # In the loop, between two transactions

    def checkpoint_by_itself(self, by_itself: bool) -> None:
        """Whether SQLite makes one within the commit that leaves much in the WAL."""
        pages = CHECKPOINT if by_itself else 0
        self.writer.execute(f"PRAGMA wal_autocheckpoint = {pages:d}")

    def delete_much(self, much: bool) -> None:
        """For a while. To look after references takes most of the time of a deletion; without room
        for the pages that it changes SQLite writes them twice; and each commit to a WAL that grows
        and is cut again waits for the file system's own journal."""
        self.writer.execute(f"PRAGMA foreign_keys = {not much:d}")
        self.writer.execute(f"PRAGMA cache_size = {-LARGE_CACHE if much else -CACHE:d}")
        self.writer.execute(f"PRAGMA journal_size_limit = {LARGE_WAL if much else reserve.SIZE}")
        if not much:
            self.writer.execute("PRAGMA shrink_memory")

    def attach(self, path: Path) -> None:
        """What is to come in from a store of its own, as `arriving`."""
        self.writer.execute("ATTACH ? AS arriving", (str(path),))

    def detach(self) -> None:
        self.writer.execute("DETACH arriving")

    def shrink(self, pages: int) -> int:
        """Give at most so many unused pages back to the file system. How many are left."""
        # As a script: where a statement gives no columns, Python takes only the first step.
        self.writer.executescript(f"PRAGMA incremental_vacuum({pages:d})")
        return int(self.writer.execute("PRAGMA freelist_count").fetchone()[0])

    def committed(self, version: int) -> None:
        """The commit of that number is on disk."""
        self.mark.note(version)

    def checkpoint(self) -> int:
        """Bring what was committed into the file itself, and sync its mark; the bytes that the WAL
        has then.

        To be called every now and then. SQLite does so, too, but ignores what is in the way; and
        while reads overlap, however short they are, it does not begin its WAL anew. Raises Lost and
        OSError.
        """
        self.mark.sync()
        _, pages, _ = self.writer.execute("PRAGMA main.wal_checkpoint(PASSIVE)").fetchone()
        if pages > LONG_WAL:
            _be_patient(self.writer, READERS_PATIENCE)
            try:
                self.writer.execute("PRAGMA main.wal_checkpoint(RESTART)").fetchone()
            finally:
                _be_patient(self.writer, PATIENCE)
        return int(pages * self._page)

    def is_in_place(self) -> bool:
        """None of its files was removed or moved."""
        try:
            return self._find_files() == self._files
        except OSError:
            return False

    def _find_files(self) -> list[int]:
        names = [f"{self.path}{suffix}" for suffix in ("", "-wal", "-shm")]
        return [os.stat(name).st_ino for name in names]

    def close(self) -> None:
        in_place = self.is_in_place()
        while not self._snapshots.empty():
            self._snapshots.get().close()
        self.writer.close()  # as the last one, which empties the WAL
        with contextlib.suppress(OSError):  # then the next daemon reads the store through
            self.mark.close(in_order=in_place)


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

    def checkpoint(self) -> int:
        """It has no other file."""
        return 0

    def close(self) -> None:
        self.writer.close()


@cache
def _empty() -> sqlite3.Connection:
    """To be copied, which is faster than to make one."""
    connection = _open(Path(":memory:"))
    _fill(connection)
    return connection


@contextlib.contextmanager
def reading(connection: Connection) -> Iterator[None]:
    """All that is read within is of one moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:  # SQLite itself may have dropped it
            connection.execute("ROLLBACK")


def _make(path: Path) -> None:
    """An empty store, whole or not at all; what is left of another one is set aside."""
    for left in (check.wal_of(path), path.with_name(f"{path.name}-shm")):
        with contextlib.suppress(FileNotFoundError):  # SQLite would take it for the new one's
            left.rename(f"{left}.old")
    part = path.with_name(f"{path.name}.new")
    with create(part) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        _fill(connection)
        connection.execute("PRAGMA journal_mode = WAL")
    files.move(part, path)


def create(path: Path) -> contextlib.closing[sqlite3.Connection]:
    """To an empty file, private as all that SQLite makes beside it."""
    for left in (path, *beside(path)):
        left.unlink(missing_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return contextlib.closing(_open(path))


def beside(path: Path) -> list[Path]:
    """What SQLite may have beside a file of its own."""
    return [path.with_name(f"{path.name}-{ending}") for ending in ("journal", "wal", "shm")]


def _be_patient(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")


def _open(path: Path | str) -> sqlite3.Connection:
    """`path` may be a URI."""
    # Made by one thread and used by another: the director's, which alone writes.
    connection = sqlite3.connect(
        path,
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.create_function("folded", 1, _folded, deterministic=True)
    connection.create_function("exactly", 1, _exactly, deterministic=True)
    return connection


def _folded(text: str | None) -> str | None:
    return None if text is None else str(text).casefold()


def _exactly(number: float | None) -> str | None:
    """As text from which the same float is read, which SQLite's own is not."""
    return None if number is None else repr(number)


def _open_reader(path: Path) -> sqlite3.Connection:
    connection = _open(path)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA query_only = ON")
    connection.execute("SELECT 1 FROM sqlite_schema").fetchone()  # what it opens it opens now
    return connection


def _fill(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute(f"PRAGMA application_id = {check.APPLICATION_ID}")
    _migrate(connection, 0)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: a commit that was answered survives a power cut. Group commit makes it cheap.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {reserve.SIZE}")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version < len(migrations.MIGRATIONS):
        _copy(connection, path.with_name(f"{path.name}.schema-{version}"))
        _migrate(connection, version)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        migrations.migrate(connection, version)
        connection.execute(f"PRAGMA user_version = {len(migrations.MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:  # all or nothing, also where one is interrupted
        if connection.in_transaction:  # SQLite itself may have dropped it
            connection.execute("ROLLBACK")
        raise


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    """A copy of the store as it was, complete under its name or not there at all."""
    part = target.with_name(f"{target.name}.part")
    with create(part) as copy:
        connection.backup(copy)
    files.move(part, target)


def _remedy(error: OSError | Lost) -> str:
    full = is_full(error) if isinstance(error, Lost) else error.errno in NO_ROOM
    return "make room on its disk" if full else ""
