"""Whether a store may be used, found without changing it; a daemon may be at work on it.

Of a store that is refused not even the WAL is touched: it may be what a person needs.
"""

import contextlib
import sqlite3
import stat
from pathlib import Path
from typing import Any

from taskd.model.errors import StoreError
from taskd.store import mark
from taskd.store.mark import Mark
from taskd.store.migrations import MIGRATIONS

APPLICATION_ID = 0x7461736B  # "task"

ELSEWHERE = "move it away, or restore a backup"
LOSS = "restore a backup; or go on with what is there: taskd run --accept-loss"


def find_problems(store: Path) -> list[str]:
    """One line each. A store that does not exist yet has none."""
    try:
        admit(store, thorough=True)
        return []
    except StoreError as error:
        return error.message.splitlines()


def admit(store: Path, *, accept_loss: bool = False, thorough: bool = False) -> None:
    """Returns when `store` may be used or, where nothing was, made. Raises StoreError.

    `accept_loss`: it may hold less than it once did, or be another one. It is read through when it
    was not closed in order or has been changed since, or when that is asked for.
    """
    has_content = _has_content(store)
    expected = None if accept_loss else mark.read(store)
    if not has_content:
        if expected:
            what = "empty" if store.exists() else "gone"
            raise StoreError(
                f"cannot use {store}: it is {what}, after {_held(expected)}", hint=LOSS
            )
        return
    try:
        with _reader(store) as connection:
            _check_kind(connection, store)
            if expected:
                _check_loss(connection, store, expected)
            if thorough or not _was_closed(store, expected):
                _read_through(connection, store)
    except sqlite3.Error as error:
        raise StoreError(f"cannot use {store}: {error}", hint=ELSEWHERE) from None


def _has_content(store: Path) -> bool:
    try:
        found = store.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"cannot use {store}: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(f"cannot use {store}: it is no plain file", hint="move it away")
    return found.st_size > 0


def _reader(store: Path) -> contextlib.closing[sqlite3.Connection]:
    """A connection that changes no file, also not by opening or closing it."""
    wal = store.with_name(f"{store.name}-wal")
    alone = "" if wal.exists() and wal.stat().st_size else "&immutable=1"
    return contextlib.closing(sqlite3.connect(f"{store.as_uri()}?mode=ro{alone}", uri=True))


def _check_kind(connection: sqlite3.Connection, store: Path) -> None:
    if _value(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise StoreError(f"cannot use {store}: it is not a store of taskd", hint=ELSEWHERE)
    version = _value(connection, "PRAGMA user_version")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"cannot use {store}: it has schema {version}, this taskd knows {len(MIGRATIONS)}",
            hint="start the newer taskd that wrote it, or restore a backup",
        )


def _check_loss(connection: sqlite3.Connection, store: Path, expected: Mark) -> None:
    if _value(connection, "SELECT value FROM meta WHERE name = 'store'") != expected.store:
        raise StoreError(f"cannot use {store}: it is another one than was here before", hint=LOSS)
    missing = expected.version - int(
        _value(connection, "SELECT value FROM meta WHERE name = 'version'")
    )
    if missing > 0:
        raise StoreError(
            f"cannot use {store}: its last {missing} commits are missing; was {store.name}-wal, "
            "which held them, removed or cut, or an older copy put here?",
            hint=LOSS,
        )


def _was_closed(store: Path, expected: Mark | None) -> bool:
    return expected is not None and expected.closed == mark.state_of(store)


def _read_through(connection: sqlite3.Connection, store: Path) -> None:
    found = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    if found != ["ok"]:
        raise StoreError(f"cannot use {store}: it is damaged: {'; '.join(found)}", hint=ELSEWHERE)


def _held(expected: Mark) -> str:
    return f"{expected.version} commits" if expected.version else "it was made"


def _value(connection: sqlite3.Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row and row[0]
