"""Which calls a host is at, in a file that a restarted daemon reads: `o17 16 15`.

The call at hand (0: none), then those that are done and not settled. `c` for `o` means closed: it
was read, and no further call may begin. Both sides hold the file's lock meanwhile, so that a call
is never taken for not begun that begins a moment later. The kernel keeps what was written when the
host is killed; no disk is waited for.
"""

import fcntl
import logging
import mmap
import os
import re
from pathlib import Path

log = logging.getLogger(__name__)

_CLOSED = ord("c")
_LINE = re.compile(rb"[oc]([0-9]+(?: [0-9]+)*)\n")
_BLOCK = 4096  # bytes: as much as a line ever has


def make(path: Path) -> None:
    """A record with room for what will be written: the disk may be full by then."""
    path.write_bytes(b"o0\n".ljust(_BLOCK))


class Record:
    """The host's side."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._mark = mmap.mmap(self._file, 1, access=mmap.ACCESS_READ)

    def begin(self, call_id: int, unsettled: list[int]) -> bool:
        """Write that `call_id` begins; False when the record was closed."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            if self._mark[0] == _CLOSED:
                return False
            os.pwrite(self._file, b"o%s\n" % b" ".join(b"%d" % n for n in (call_id, *unsettled)), 0)
            return True
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


def close(path: Path) -> list[int] | None:
    """The calls that the host has begun and that are not settled, the one at hand or last first.

    It begins no other one. None: nobody can tell, since a step has written over it, other than as a
    host does.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        line = os.pread(file, 1 << 16, 0)
        os.pwrite(file, b"c", 0)
    finally:
        os.close(file)
    if not (written := _LINE.match(line)):
        log.error("%s was written over: nobody can tell what the host has begun", path)
        return None
    return [int(number) for number in written[1].split() if number != b"0"]
