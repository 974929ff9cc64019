"""Reads the logs of a task: page by page from a position on, or the last lines first."""

import heapq
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, TypeAlias

from taskd.model.log import LogLine, LogPage

LogFile: TypeAlias = tuple[int, str, Path]  # number and name of the step; the file need not exist
BLOCK = 64 * 1024


def read(
    files: Iterable[LogFile],
    position: Mapping[str, int] | None = None,
    *,
    tail: int | None = None,
    since: datetime | None = None,
    finished: bool = False,
    max_bytes: int = 256 * 1024,
) -> LogPage:
    """Whole lines in the order of time, of about `max_bytes` at most.

    `position` is that of the page before: how far the file of each step, by its number, was read.
    `tail` and `since` say where to begin without one. `finished`: the task has stopped, so that the
    page that reaches the end is the last.
    """
    stamp = _stamp(since)
    if tail is not None and not position:
        return _read_tail(files, tail, stamp, finished, max_bytes)
    reached = dict(position or {})
    parts = []
    for number, step, file in _opened(files):
        start = reached.get(str(number)) if position else _first_since(file, stamp)
        data = _whole_lines(file, start or 0, max_bytes)
        reached[str(number)] = (start or 0) + len(data)
        max_bytes -= len(data)
        parts.append(_parse(step, data))
    return LogPage(_merge(parts), reached, ended=finished and max_bytes > 0)


def _read_tail(
    files: Iterable[LogFile], count: int, stamp: bytes, finished: bool, max_bytes: int
) -> LogPage:
    reached, parts = {}, []
    for number, step, file in _opened(files):
        data, reached[str(number)] = _last_lines(file, count, max_bytes)
        parts.append(_parse(step, data, stamp))
    lines = _merge(parts)
    return LogPage(lines[max(0, len(lines) - count) :], reached, ended=finished)


def _opened(files: Iterable[LogFile]) -> Iterator[tuple[int, str, BinaryIO]]:
    for number, step, path in files:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            continue
        with file:
            yield number, step, file


def _whole_lines(file: BinaryIO, start: int, max_bytes: int) -> bytes:
    if max_bytes <= 0:
        return b""
    file.seek(start)
    data = file.read(max_bytes) + file.readline()
    return data[: data.rfind(b"\n") + 1]


def _last_lines(file: BinaryIO, count: int, max_bytes: int) -> tuple[bytes, int]:
    """Whole lines at the end, `count` of them or more if there are, and where they end."""
    start, data = file.seek(0, os.SEEK_END), b""
    while start and data.count(b"\n") <= count and len(data) < max_bytes:
        size = min(BLOCK, start)
        start = file.seek(start - size)
        data = file.read(size) + data
    whole = data.rfind(b"\n") + 1
    first = data.find(b"\n") + 1 if start else 0
    return data[first:whole], start + whole


def _first_since(file: BinaryIO, stamp: bytes) -> int:
    """Where the first line begins that is not older than `stamp`: halving, then line by line."""
    low, high = 0, file.seek(0, os.SEEK_END) if stamp else 0
    while high - low > BLOCK:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()
        low, high = (middle, high) if b"" < file.readline() < stamp else (low, middle)
    file.seek(low)
    start = low + len(file.readline()) if low else low
    while b"" < (line := file.readline()) < stamp:
        start += len(line)
    return start


def _stamp(since: datetime | None) -> bytes:
    """A time as it stands in a log, where the order of texts is that of times."""
    if since is None:
        return b""
    return since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()


def _parse(step: str, data: bytes, stamp: bytes = b"") -> list[LogLine]:
    lines = data.split(b"\n")[:-1]
    return [_parse_line(step, line) for line in lines if line >= stamp]


def _parse_line(step: str, line: bytes) -> LogLine:
    whole = line.decode("utf-8", "backslashreplace")
    try:
        at, stream, tag, text = whole.split(" ", 3)
        return LogLine(datetime.fromisoformat(at), step, stream, text, partial=tag == "P")
    except ValueError:  # the disk, or a person, damaged the file
        return LogLine(datetime.fromtimestamp(0, UTC), step, "taskd", whole)


def _merge(parts: list[list[LogLine]]) -> list[LogLine]:
    return list(heapq.merge(*parts, key=attrgetter("at")))
