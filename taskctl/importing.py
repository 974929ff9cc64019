"""The file of an import, read in parts; and how its tasks are brought in."""

import codecs
import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import click

from taskctl.view.counting import counting
from taskd.model.errors import InvalidInput, InvalidState, TaskdError

PART = 256 * 1024  # bytes that are sent at once
Record: TypeAlias = dict[str, Any]

_GZIP = b"\x1f\x8b"


def parts(path: str, read: Callable[[int], object]) -> Iterator[str]:
    """The text of the file, unpacked; `read` is told the bytes of the file that were read.

    Raises InvalidInput for what is cut off, damaged or no text.
    """
    try:
        with open(path, "rb") as file:
            packed = file.peek(2).startswith(_GZIP)
            decoder = codecs.getincrementaldecoder("utf-8-sig")()  # as some editors write it
            with gzip.GzipFile(fileobj=file) if packed else file as source:
                tell = file.tell if file.seekable() else int
                place = 0
                while data := source.read(PART):
                    yield decoder.decode(data)
                    read(tell() - place)
                    place = tell()
                yield decoder.decode(b"", final=True)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidInput(f"cannot read {path}: {error}; nothing was imported") from None
    except UnicodeDecodeError:
        raise InvalidInput(
            f"cannot read {path}: it is no UTF-8 text; nothing was imported"
        ) from None
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from None


def bring(channel: Any, path: str, *, skip_existing: bool, color: str) -> Record:
    """How many tasks came in (`imported`), and how many were passed over (`skipped`).

    Nothing has changed when it raises InvalidInput or InvalidState.
    """
    number = channel.ask("history.begin_import")
    try:
        with counting(_size(path), color) as (passed, _):
            for part in parts(path, passed):
                channel.ask("history.send", number=number, text=part)
        done = _let_in(channel, number, skip_existing=skip_existing, color=color)
    except InvalidInput:
        channel.ask("history.end_import", number=number)
        raise
    channel.ask("history.end_import", number=number)
    return done


def _let_in(channel: Any, number: int, *, skip_existing: bool, color: str) -> Record:
    request = {"number": number, "skip_existing": skip_existing}
    done: Record = {}
    try:
        done = channel.ask("history.let_in", **request)
        with counting(done["total"], color) as (passed, _):
            passed(_looked_at(done))
            while not done["ended"]:
                before, done = done, channel.ask("history.let_in", **request)
                passed(_looked_at(done) - _looked_at(before))
    except (KeyboardInterrupt, TaskdError) as error:
        if done or not isinstance(error, InvalidInput | InvalidState):  # else nothing has changed
            _tell_of_the_end(done)
        raise
    return done


def _tell_of_the_end(done: Record) -> None:
    """The page that the daemon was at comes in, too."""
    many = f"{_looked_at(done)} of {done['total']} tasks" if done else "the first tasks"
    click.echo(
        f"broken off after {many}, or some more; to go on: the same with --skip-existing", err=True
    )


def _looked_at(progress: Record) -> int:
    return int(progress["imported"] + progress["skipped"])


def _size(path: str) -> int | None:
    """None where that cannot be known."""
    try:
        return os.stat(path).st_size or None
    except OSError:
        return None
