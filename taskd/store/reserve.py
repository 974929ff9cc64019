"""Room on the disk that is given up, part by part, when there is no other."""

import contextlib
import errno
import os
from pathlib import Path

SIZE = 8 << 20
PART = 1 << 20


class Reserve:
    """A file of so many bytes in `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def give(self) -> None:
        """Up a part of it."""
        with contextlib.suppress(FileNotFoundError):
            os.truncate(self._path, max(0, self._path.stat().st_size - PART))

    def take_back(self) -> bool:
        """Whether all of it is there now. Raises OSError where that is not for want of room."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, SIZE)
            return True
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            os.ftruncate(file, 0)
            return False
        finally:
            os.close(file)
