"""The high-water mark: beside the store a file that says which commits it must hold at least.

SQLite takes an empty file for a new store, and one whose WAL was lost or cut for a healthy one: it
tells of damage, not of loss. The mark is written after each commit and never runs ahead of one. It
is written in place, where there is room for it also on a full disk.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from taskd.model.errors import StoreError
from taskd.store import files

_SIZE = 512  # bytes, written at once


@dataclass(frozen=True)
class Mark:
    """`closed`: size and time of change (ns) of the store's file when it was closed in order."""

    store: str
    version: int
    closed: tuple[int, int] | None = None


def path_of(store: Path) -> Path:
    return store.with_suffix(".mark")


def read(store: Path) -> Mark | None:
    """None where there is none yet. Raises StoreError."""
    path = path_of(store)
    try:
        found = json.loads(path.read_text())
        closed = found["closed"]
        return Mark(found["store"], int(found["version"]), tuple(closed) if closed else None)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise StoreError(
            f"cannot read {path}, which says what the store must hold: {error}",
            hint="go on with what is there: taskd run --accept-loss",
        ) from None


def state_of(store: Path) -> tuple[int, int]:
    """What tells whether its file was changed meanwhile."""
    found = store.stat()
    return found.st_size, found.st_mtime_ns


class Keeper:
    """Writes the mark of an open store, from the director's thread. Raises OSError."""

    def __init__(self, store: Path, identity: str, version: int) -> None:
        self._store = store
        self._identity = identity
        self._version = version
        path = path_of(store)
        if not path.is_file():
            files.put(path, _text(Mark(identity, version)))
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._write(Mark(identity, version))
        os.ftruncate(self._file, _SIZE)  # what was there may have been anything
        self.sync()

    def note(self, version: int) -> None:
        """The commit of that number is on disk. A crash of the daemon does not lose that; `sync`
        it now and then for that of the machine."""
        self._version = version
        self._write(Mark(self._identity, version))

    def prove(self) -> None:
        """That it can be written."""
        self._write(Mark(self._identity, self._version))
        self.sync()

    def sync(self) -> None:
        os.fdatasync(self._file)

    def close(self, *, in_order: bool = True) -> None:
        """The store is closed; `in_order`: where it was, and with nothing left in its WAL."""
        try:
            if in_order:
                self._write(Mark(self._identity, self._version, state_of(self._store)))
                self.sync()
        finally:
            os.close(self._file)

    def _write(self, mark: Mark) -> None:
        os.pwrite(self._file, _text(mark), 0)


def _text(mark: Mark) -> bytes:
    return json.dumps(vars(mark)).ljust(_SIZE - 1).encode() + b"\n"
