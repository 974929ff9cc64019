"""The whole store in one file, made while a daemon writes, and such a file in the store's place.

Both are there whole or not at all, whenever the process is killed.
"""

import contextlib
import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from taskd.model.errors import Busy, InvalidInput, NotFound, StoreError, TaskdError
from taskd.store import check, database, files, mark, meta, tasks

PIECE = 1024  # pages; each is synced, since all at once would hold up the daemon's commits
PATIENCE = 10.0  # seconds, with who else has locked the store
RESTORED = "restored"  # the boot of which a restored store is, for `engine/recovery.py`


@dataclass(frozen=True)
class Contents:
    tasks: int
    size: int  # bytes


def write(store: Path, target: Path, *, force: bool = False) -> Contents:
    """A copy of the store as it is now, read through, in a private file.

    `force`: in place of a file that is there. Raises StoreError, InvalidInput, Busy,
    TaskdError and OSError; no file is there then that was not.
    """
    if not check.admit(store, thorough=False):
        raise StoreError(f"there is no store in {store.parent}")
    _check_target(target, store, force=force)
    with _part_of(target) as part:
        with _told_of(store, part):
            _copy(store, part)
        try:
            contents = look(part)
        except StoreError as error:
            message = f"cannot back up {store}: {error.message}"
            raise StoreError(message, hint="taskd check") from None
        _check_target(target, store, force=force)
        files.move(part, target)
    return contents


def look(file: Path) -> Contents:
    """What a backup holds. Raises NotFound; StoreError where it is not whole, or no backup."""
    if not file.exists():
        raise NotFound(f"there is no file {file}")
    try:
        has_content = check.admit(file, accept_loss=True, thorough=True)
    except StoreError as error:
        raise StoreError(error.message) from None  # what helps a store does not help a backup
    if not has_content:
        raise StoreError(f"cannot use {file}: it is empty")
    with check.reader(file) as connection:
        (count,) = connection.execute("SELECT count(*) FROM tasks").fetchone()
    return Contents(count, file.stat().st_size)


def restore(
    store: Path, file: Path, now: datetime, *, used: int = 0, drained: str = ""
) -> tuple[Contents, Path | None]:
    """Put what `file` holds in the place of the store, which no daemon may have open.

    What it holds, and the folder where the old store is then, if there was one. No task will have
    an id up to `used`, nor one that the old store has given. `drained` says since when nothing is
    to start, if so. Raises NotFound, StoreError, TaskdError and OSError; nothing was changed then.
    """
    contents = look(file)
    part = store.with_name(f"{store.name}.new")
    with _gone_if_it_fails(part):
        with _told_of(file, part), check.reader(file) as connection, database.create(part) as copy:
            copy.execute("PRAGMA synchronous = OFF")
            connection.backup(copy)
            meta.put(copy, "boot", RESTORED)
            tasks.skip_ids(copy, max(used, check.ask(store, tasks.last_id, 0)))
            if drained:
                meta.put(copy, "drained", drained)
        files.sync(part)
        return contents, _exchange(store, part, now)


def _check_target(target: Path, store: Path, *, force: bool) -> None:
    """Raises InvalidInput."""
    own = {store, *database.beside(store), mark.path_of(store)}
    if target.resolve() in {path.resolve() for path in own}:
        raise InvalidInput(f"cannot write {target}: it is the store itself")
    try:
        kind = target.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(kind):
        raise InvalidInput(f"cannot write {target}: it is there, and no plain file")
    if not force:
        raise InvalidInput(f"cannot write {target}: it is there already", hint="--force")
    if store.parent.resolve() in target.resolve().parents and not check.is_store(target):
        raise InvalidInput(f"cannot write {target}: it is no backup, and among the daemon's files")


@contextlib.contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    """An empty private file beside it, which nobody else writes. Raises Busy."""
    part = target.with_name(f"{target.name}.taskd-part")  # a name that nobody else gives
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(part, flags, 0o600), "r+b") as file:
        if not _is_ours(file, part):
            raise Busy(
                f"cannot write {part}: another backup is just being written, or it is not yours"
            )
        os.fchmod(file.fileno(), 0o600)
        file.truncate()  # so that SQLite, too, heeds nothing that a killed one has left beside it
        with _gone_if_it_fails(part):
            yield part


def _is_ours(file: IO[bytes], part: Path) -> bool:
    """Nobody else writes it, has just given it its name, or had put it there to read what is
    written."""
    found = os.fstat(file.fileno())
    with contextlib.suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_alone = found.st_nlink == 1 and os.path.samestat(found, part.stat())
        return is_alone and found.st_uid == os.geteuid()
    return False


@contextlib.contextmanager
def _gone_if_it_fails(part: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:  # also where it is interrupted
        for left in (part, *database.beside(part)):
            left.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _told_of(source: Path, part: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise TaskdError(f"cannot copy {source} to {part}: {error}") from None


def _copy(store: Path, part: Path) -> None:
    """In one transaction: else each commit of a daemon would make it begin anew."""
    with _open(store) as connection, _connect(part) as copy:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM meta").fetchone()
        connection.backup(copy, pages=PIECE, progress=lambda *_: files.sync(part))
        connection.execute("ROLLBACK")
    with _connect(part) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")  # so that it is one file


def _open(store: Path) -> contextlib.closing[sqlite3.Connection]:
    """To read while a daemon writes. It checkpoints nothing, also not as the last one to close."""
    return _connect(f"{store.as_uri()}?mode=ro")


def _connect(place: Path | str) -> contextlib.closing[sqlite3.Connection]:
    uri = isinstance(place, str)
    made = sqlite3.connect(place, uri=uri, timeout=PATIENCE, isolation_level=None)
    return contextlib.closing(made)


def _exchange(store: Path, part: Path, now: datetime) -> Path | None:
    """Its mark is the last to go: until then a daemon finds out that the store is not whole."""
    *before, last = *database.beside(store), store, mark.path_of(store)
    aside = store.with_name(f"replaced-{now:%Y%m%dT%H%M%S.%fZ}")
    is_there = any(map(os.path.lexists, (*before, last)))
    if is_there:
        aside.mkdir(mode=0o700)
    for path in before:
        _move_if_there(path, aside)
    part.replace(store)
    files.sync(store.parent)
    _move_if_there(last, aside)
    files.sync(store.parent)
    return aside if is_there else None


def _move_if_there(path: Path, folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.rename(folder / path.name)
