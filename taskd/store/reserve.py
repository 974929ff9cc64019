"""Room for when the disk is full: the WAL has its blocks before it needs them.

So nobody else can take them, and tasks can still be cancelled. While no daemon is at work, SQLite
has removed the WAL, and another file keeps the room.
"""

import errno
import os
from pathlib import Path

SIZE = 8 << 20
LEAST = 1 << 20  # bytes beside it: with less the disk is full
FEWEST = 64  # files, likewise
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class Reserve:
    def __init__(self, store: Path, wal: Path) -> None:
        self._wal = wal
        self._spare = store.with_suffix(".reserve")

    def is_room(self) -> bool:
        """For anything but the store, as far as can be seen without a try."""
        disk = os.statvfs(self._spare.parent)
        counts_files = disk.f_files > 0
        enough_files = not counts_files or disk.f_favail >= FEWEST
        return disk.f_bavail * disk.f_frsize >= LEAST and enough_files

    def lend(self) -> None:
        """Some of it to what SQLite makes when it opens the store. Raises OSError."""
        if self._spare.exists():
            os.truncate(self._spare, max(0, self._spare.stat().st_size - LEAST))

    def take(self) -> bool:
        """Whether the WAL of the open store has its room, and others have some. Raises OSError."""
        self._spare.unlink(missing_ok=True)
        taken = _allocate(self._wal, SIZE) and self.is_room() and _allocate(self._spare, LEAST)
        self._spare.unlink(missing_ok=True)
        return taken

    def leave(self) -> None:
        """The store is closed. Raises OSError."""
        _allocate(self._spare, SIZE)


def _allocate(path: Path, size: int) -> bool:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.posix_fallocate(file, 0, size)
            return True
        finally:
            os.close(file)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        return False
