"""A power cut: of what was written to files, only what was synced is sure to be there.

`faults.c` has noted, for each file, what was there before a write and what was written.
"""

import contextlib
import os
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HEAD = struct.Struct("6Q")
_SYNCED, _WRITTEN, _CUT = range(3)


@dataclass(frozen=True)
class Note:
    kind: int
    offset: int
    size: int  # of the file, before it
    before: bytes
    after: bytes


def cut(folder: Path, notes: Path, chance: random.Random | None = None) -> None:
    """Undo what was not synced: all of it, or by `chance` only some of it."""
    unsynced = _unsynced(notes)
    for path in folder.iterdir():
        if doubtful := unsynced.get(path.stat().st_ino):
            _undo(path, doubtful)
            for note in doubtful:
                if chance and chance.random() < 0.5:
                    _redo(path, note)
    for index in folder.glob("*-shm"):
        index.unlink()


def _unsynced(notes: Path) -> dict[int, list[Note]]:
    found: dict[int, list[Note]] = {}
    for inode, note in _read(notes):
        if note.kind == _SYNCED:
            found.pop(inode, None)
        else:
            found.setdefault(inode, []).append(note)
    return found


def _read(notes: Path) -> Iterator[tuple[int, Note]]:
    with contextlib.suppress(FileNotFoundError), notes.open("rb") as file:
        while head := file.read(_HEAD.size):
            inode, kind, offset, size, before, after = _HEAD.unpack(head)
            yield inode, Note(kind, offset, size, file.read(before), file.read(after))


def _undo(path: Path, notes: list[Note]) -> None:
    with path.open("r+b") as file:
        for note in reversed(notes):
            file.seek(note.offset)
            file.write(note.before)
            file.flush()
            os.truncate(path, note.size)


def _redo(path: Path, note: Note) -> None:
    if note.kind == _CUT:
        os.truncate(path, note.offset)
    else:
        with path.open("r+b") as file:
            file.seek(note.offset)
            file.write(note.after)
