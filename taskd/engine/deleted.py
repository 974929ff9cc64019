"""What cleanups have deleted, in files of their own: records for an import, and CSV for people.

backups/cleanup-20261126T063000Z.jsonl.gz     a member of gzip a batch, on disk before it is deleted
backups/cleanup-20261126T063000Z.csv
backups/….part                                while the cleanup is at work, or was killed
"""

import contextlib
import csv
import errno
import gzip
import io
import itertools
import logging
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeAlias

from taskd.cleaning import Backup
from taskd.model.errors import TaskdError
from taskd.model.inert import inert_cell
from taskd.store import files

log = logging.getLogger(__name__)

Keep: TypeAlias = Callable[[Iterable[str], Iterable[Sequence[Any]]], None]

PART = ".part"
RECORDS, TABLE = ".jsonl.gz", ".csv"
LEVEL = 1  # of gzip: a higher one takes several times as long for a few percent
PIECE = 1 << 20


class Keeper:
    """Keeps batches in a pair of files, which are made with the first one. Raises TaskdError."""

    def __init__(self, folder: Path, columns: Sequence[str], now: datetime) -> None:
        self._folder = folder
        self._columns = columns
        self._name = f"cleanup-{now:%Y%m%dT%H%M%SZ}"
        self._files: list[_File] = []

    @property
    def path(self) -> Path | None:
        """Of the records, once the cleanup is over; None when nothing was kept."""
        return self._files[0].path if self._files else None

    @contextlib.contextmanager
    def keeping(self) -> Iterator[Keep]:
        """What is given within to the function is on disk afterwards, or nothing of it."""
        with _told(self._folder), contextlib.ExitStack() as adding:

            def keep(lines: Iterable[str], rows: Iterable[Sequence[Any]]) -> None:
                if not self._files:
                    self._begin()
                records, table = (adding.enter_context(file.adding()) for file in self._files)
                with gzip.GzipFile("", "wb", LEVEL, records, 0) as member:
                    for line in lines:
                        member.write(line.encode() + b"\n")
                table.write(_csv(rows))

            yield keep

    def _begin(self) -> None:
        self._files = _make(self._folder, self._name)
        with self._files[1].adding() as file:
            file.write(_csv([self._columns]))

    def close(self) -> None:
        with _told(self._folder):
            if self._files and not self._files[0].size:  # not even the first batch was kept
                for file in self._files:
                    file.discard()
                self._files = []
            for file in self._files:
                file.finish()
            if self._files:
                files.sync(self._folder)


class _File:
    """It only grows by what is whole, and has its name when it is finished."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(path.name + PART)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(self._part, flags, 0o600)

    @contextlib.contextmanager
    def adding(self) -> Iterator[Self]:
        """What is written within is on disk afterwards, or nothing of it."""
        size = os.lseek(self._file, 0, os.SEEK_CUR)
        try:
            yield self
            os.fsync(self._file)
        except BaseException:  # also where it is interrupted
            os.ftruncate(self._file, size)
            os.lseek(self._file, size, os.SEEK_SET)
            raise

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    @property
    def size(self) -> int:
        return os.fstat(self._file).st_size

    def finish(self) -> None:
        os.close(self._file)
        self._part.rename(self.path)

    def discard(self) -> None:
        os.close(self._file)
        self._part.unlink()


def _make(folder: Path, name: str) -> list[_File]:
    """The pair; another cleanup may have begun in the same second."""
    folder.mkdir(mode=0o700, exist_ok=True)
    files.sync(folder.parent)
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    name = next(free for free in names if not list(folder.glob(f"{free}.*")))
    made = [_File(folder / f"{name}{ending}") for ending in (RECORDS, TABLE)]
    files.sync(folder)
    return made


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    return inert_cell(value) if isinstance(value, str) else value


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise TaskdError(
            f"cannot keep what is to be deleted in {folder}: {error.strerror}; it was not deleted",
            hint="make room, or clean up with --no-backup" if full else "",
        ) from None


# Files of cleanups before


def mend(folder: Path) -> None:
    """What a cleanup that was killed has left: without what was not written to its end."""
    for part in _files(folder, PART):
        with _told(folder):
            whole = _end_of_members(part) if RECORDS in part.name else _end_of_lines(part)
            os.truncate(part, whole)
            if whole:
                files.move(part, part.with_name(part.name.removesuffix(PART)))
            else:
                part.unlink()
        log.info("%s was left by a cleanup that was killed: it has %d bytes", part, whole)


def _files(folder: Path, ending: str) -> list[Path]:
    """Of cleanups. What else a person has put there is passed over."""
    there = folder.glob(f"cleanup-*{ending}")
    return [each for each in there if each.is_file() and not each.is_symlink()]


def _end_of_members(path: Path) -> int:
    """Where the last whole member of gzip ends."""
    end = 0
    with path.open("rb") as file:
        unpack, place = zlib.decompressobj(wbits=31), 0
        while piece := file.read(PIECE):
            place += len(piece)
            while piece:
                try:
                    unpack.decompress(piece)
                except zlib.error:
                    return end
                piece = unpack.unused_data
                if unpack.eof:
                    end = place - len(piece)
                    unpack = zlib.decompressobj(wbits=31)
    return end


def _end_of_lines(path: Path) -> int:
    """Where the last whole line ends; there is none that has more than a piece."""
    with path.open("rb") as file:
        begin = max(0, path.stat().st_size - PIECE)
        file.seek(begin)
        return begin + file.read().rfind(b"\n") + 1 if begin or path.stat().st_size else 0


def rotate(folder: Path, rules: Backup, now: datetime) -> None:
    """Remove what is kept for too long, and the oldest where it is too much. The newest stays."""
    there = sorted(_files(folder, RECORDS), key=_changed)
    size = sum(map(_size, there))
    for path in there[:-1]:
        age = now.timestamp() - _changed(path)
        if age <= rules.keep.total_seconds() and size <= rules.max_size:
            break
        size -= _size(path)
        try:
            for each in (path, _table_of(path)):
                each.unlink(missing_ok=True)
            log.info("%s was removed: it is old, or too much is kept", path)
        except OSError as error:  # the cleanup itself is done
            log.warning("%s is old, or too much is kept, but cannot be removed: %s", path, error)


def _changed(path: Path) -> float:
    return path.stat().st_mtime


def _size(path: Path) -> int:
    table = _table_of(path)
    return path.stat().st_size + (table.stat().st_size if table.exists() else 0)


def _table_of(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(RECORDS) + TABLE)
