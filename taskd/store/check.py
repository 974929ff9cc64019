"""Whether a store may be used, found without changing it; a daemon may be at work on it.

Of a store that is refused not even the WAL is touched: it may be what a person needs.
"""

import contextlib
import os
import sqlite3
import stat
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from taskd.model.errors import StoreError
from taskd.store import mark, migrations
from taskd.store.mark import Mark

APPLICATION_ID = 0x7461736B  # "task"
T = TypeVar("T")

ELSEWHERE = "move it away, or restore a backup: taskd restore FILE"
LOSS = "restore a backup: taskd restore FILE; or go on with what is there: taskd run --accept-loss"

# The WAL, see https://sqlite.org/fileformat.html: its checksums are of little or big words.
_WAL_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_WAL_HEADER, _FRAME_HEADER = 32, 24


def find_problems(store: Path) -> list[str]:
    """One line each, which says what to do. A store that does not exist yet has none."""
    try:
        admit(store, thorough=True)
        return []
    except StoreError as error:
        return [f"{error.message}; {error.hint}" if error.hint else error.message]


def admit(store: Path, *, accept_loss: bool = False, thorough: bool | None = None) -> bool:
    """Whether there is one. Raises StoreError when it must not be used, or none may be made.

    `accept_loss`: it may hold less than it once did, be another one, or be gone.

    `thorough`: whether it is read through; by default where it was not closed in order, or has been
    changed since.
    """
    expected = None if accept_loss else mark.read(store)
    if not _has_content(store):
        if not accept_loss:
            _check_absence(store, expected)
        return False
    with reading(store) as connection:
        _check_kind(connection, store)
        _check_size(connection, store)
        _check_schema(connection, store)
        if expected:
            _check_loss(connection, store, expected)
        if not _was_closed(store, expected) if thorough is None else thorough:
            _read_through(connection, store)
    return True


@contextlib.contextmanager
def reading(store: Path) -> Iterator[sqlite3.Connection]:
    """A connection that changes no file, also not of a store that is refused.

    Raises StoreError where it cannot be read.
    """
    try:
        with reader(store) as connection:
            yield connection
    except OSError as error:
        what = f"cannot read {error.filename}: {error.strerror}"
        raise StoreError(what, hint=ELSEWHERE) from None
    except (sqlite3.Error, ValueError) as error:
        raise StoreError(f"cannot use {store}: {error}", hint=ELSEWHERE) from None


def ask(store: Path, question: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
    """What a store says, that may be at work; `otherwise` where there is none that can be used."""
    with contextlib.suppress(StoreError):
        if admit(store, accept_loss=True, thorough=False):
            with reading(store) as connection:
                return question(connection)
    return otherwise


def is_store(file: Path) -> bool:
    """Or a backup of one, as its first bytes say."""
    with file.open("rb") as opened:
        return opened.read(72)[68:] == APPLICATION_ID.to_bytes(4, "big")


def wal_of(store: Path) -> Path:
    return store.with_name(f"{store.name}-wal")


def _has_content(store: Path) -> bool:
    try:
        found = store.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"cannot use {store}: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(f"cannot use {store}: it is no plain file", hint=ELSEWHERE)
    return found.st_size > 0


def _check_absence(store: Path, expected: Mark | None) -> None:
    if store.exists():
        raise StoreError(f"cannot use {store}: it is empty", hint=LOSS)
    if expected:
        raise StoreError(f"cannot use {store}: it is gone, after {_held(expected)}", hint=LOSS)
    if _size(wal_of(store)):
        raise StoreError(f"cannot use {store}: it is gone, but for {store.name}-wal", hint=LOSS)


@contextlib.contextmanager
def reader(store: Path) -> Iterator[sqlite3.Connection]:
    """A connection that changes no file, nor makes one, also not by opening or closing it.

    In one transaction: all that it reads is of one moment.
    """
    index = store.with_name(f"{store.name}-shm")
    begun = _wal_header(wal_of(store)) is not None
    lent = begun and not index.exists()
    if lent:
        index.touch(0o600)
    how = "readonly_shm=1" if begun else "immutable=1"
    with contextlib.closing(sqlite3.connect(f"{store.as_uri()}?mode=ro&{how}", uri=True)) as made:
        try:
            made.execute("BEGIN")
            made.execute("PRAGMA application_id")
        finally:
            if lent:  # it was asked for, and is not used when nobody else has it open
                index.unlink()
        yield made


def _check_kind(connection: sqlite3.Connection, store: Path) -> None:
    if _value(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise StoreError(f"cannot use {store}: it is not a store of taskd", hint=ELSEWHERE)
    version, known = _value(connection, "PRAGMA user_version"), len(migrations.MIGRATIONS)
    if version > known:
        raise StoreError(
            f"cannot use {store}: it has schema {version}, this taskd knows {known}",
            hint="start the newer taskd that wrote it, or restore a backup: taskd restore FILE",
        )


def _check_size(connection: sqlite3.Connection, store: Path) -> None:
    """What SQLite would take for zeros: pages that are neither in the file nor in its WAL."""
    size, page = store.stat().st_size, _value(connection, "PRAGMA page_size")
    pages = _value(connection, "PRAGMA page_count")
    missing = set(range(size // page + 1, pages + 1)) - _pages_of(wal_of(store))
    if missing:
        raise StoreError(
            f"cannot use {store}: it is cut, at {size} of {pages * page} bytes", hint=ELSEWHERE
        )


def _pages_of(wal: Path) -> set[int]:
    """The numbers of the pages that the WAL holds."""
    found: set[int] = set()
    if header := _wal_header(wal):
        page, salt = int.from_bytes(header[8:12]), header[16:24]
        with wal.open("rb") as file:
            file.seek(_WAL_HEADER)
            while (frame := file.read(_FRAME_HEADER))[8:16] == salt:
                found.add(int.from_bytes(frame[:4]))
                file.seek(page, os.SEEK_CUR)
    return found


def _wal_header(wal: Path) -> bytes | None:
    """None where SQLite, too, takes the WAL for one that was not begun."""
    if not wal.exists():
        return None
    with wal.open("rb") as file:
        header, more = file.read(_WAL_HEADER), file.read(1)
    if not more or header[:4] not in _WAL_MAGIC:
        return None
    first = second = 0
    for place in range(0, 24, 8):
        words = struct.unpack_from("<II" if header[:4] == _WAL_MAGIC[0] else ">II", header, place)
        first = first + words[0] + second & 0xFFFFFFFF
        second = second + words[1] + first & 0xFFFFFFFF
    return header if struct.pack(">II", first, second) == header[24:] else None


def _check_schema(connection: sqlite3.Connection, store: Path) -> None:
    wanted = migrations.names_after(_value(connection, "PRAGMA user_version"))
    if missing := sorted(wanted - migrations.names(connection)):
        raise StoreError(f"cannot use {store}: it has no {missing[0]}", hint=ELSEWHERE)


def _check_loss(connection: sqlite3.Connection, store: Path, expected: Mark) -> None:
    if _value(connection, "SELECT value FROM meta WHERE name = 'store'") != expected.store:
        raise StoreError(f"cannot use {store}: it is another one than was here before", hint=LOSS)
    version = _value(connection, "SELECT value FROM meta WHERE name = 'version'")
    missing = expected.version - int(version or 0)
    if missing > 0:
        raise StoreError(
            f"cannot use {store}: its last {missing} commits are missing; was {store.name}-wal, "
            "which held them, removed or cut, or an older copy put here?",
            hint=LOSS,
        )


def _was_closed(store: Path, expected: Mark | None) -> bool:
    """In order, and has not been changed since."""
    closed = expected is not None and expected.closed == mark.state_of(store)
    return closed and not _size(wal_of(store))


def _read_through(connection: sqlite3.Connection, store: Path) -> None:
    found = str(_value(connection, "PRAGMA integrity_check(1)"))
    if found != "ok":
        reason = found.splitlines()[-1]  # SQLite says first in which database
        raise StoreError(f"cannot use {store}: it is damaged: {reason}", hint=ELSEWHERE)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _held(expected: Mark) -> str:
    return f"it held {expected.version} commits" if expected.version else "it was made"


def _value(connection: sqlite3.Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row and row[0]
