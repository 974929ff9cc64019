"""Where an export is written: private, beside its final name, and there only when it is whole.

What stands at that name already stays, unless it is to be replaced; no symbolic link is followed.
"""

import contextlib
import os
import re
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from typing import BinaryIO

from taskd.model.errors import InvalidInput, TaskdError

_MARK, _HEAD = b'content="taskctl export"', 4096  # at the beginning of each page
_OF_PAGES = re.compile(r"tasks|index(-[0-9]+)?\.html")  # all that stands in a folder of pages


def new_name(suffix: str) -> str:
    """In the temporary directory."""
    name = f"taskctl-export-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}{suffix}"
    return os.path.join(tempfile.gettempdir(), name)


@contextlib.contextmanager
def new_file(path: str, *, force: bool) -> Iterator[BinaryIO]:
    """A file that gets the name `path` at the end of the context, if that is not left by an error.

    `force`: in the place of another one. Raises InvalidInput when there is one already, and
    TaskdError when it cannot be written.
    """
    if os.path.lexists(path):
        _may_replace(path, force and (os.path.islink(path) or os.path.isfile(path)))
    part = _part(path)
    with _told(path), _left_in_order():
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(part, flags, 0o600), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if force:
                os.rename(part, path)
            else:
                _rename_to_new(part, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)


@contextlib.contextmanager
def new_folder(path: str, *, force: bool) -> Iterator[str]:
    """The same for a folder of pages; only such a one is replaced."""
    if os.path.lexists(path):
        _may_replace(path, force and _holds_pages(path))
    part, old = _part(path), _part(path)
    with _told(path), _left_in_order():
        try:
            os.mkdir(part, 0o700)
            yield part
            if force and os.path.lexists(path):
                os.rename(path, old)
            os.rename(part, path)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def check_place(path: str, state_dir: str) -> None:
    """Raises InvalidInput for one among the daemon's own files."""
    place, own = os.path.realpath(os.path.dirname(path)), os.path.realpath(state_dir)
    if os.path.commonpath([place, own]) == own:
        raise InvalidInput(f"cannot write {path}: it is in the state directory of the daemon")


def _may_replace(path: str, force: bool) -> None:
    if not force:
        raise InvalidInput(
            f"cannot write {path}: it is there already",
            hint="choose another name; --force replaces a plain file, or a folder of such pages",
        )


def _part(path: str) -> str:
    return os.path.join(os.path.dirname(path), f".taskctl-{secrets.token_hex(8)}.part")


def _holds_pages(path: str) -> bool:
    """And nothing else, or nothing at all."""
    if os.path.islink(path) or not os.path.isdir(path):
        return False
    names = os.listdir(path)
    if "index.html" not in names or not all(map(_OF_PAGES.fullmatch, names)):
        return not names
    with open(os.path.join(path, "index.html"), "rb") as page:
        return _MARK in page.read(_HEAD)


def _rename_to_new(part: str, path: str) -> None:
    try:
        os.link(part, path)  # unlike `rename`, it never replaces anything
    except PermissionError:  # there are no hard links on this file system
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        os.rename(part, path)


@contextlib.contextmanager
def _left_in_order() -> Iterator[None]:
    """Also at a signal that would end the program at once, unless that is ignored."""
    ends = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    for number in ends:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number in ends:
            signal.signal(number, signal.SIG_DFL)


def _leave(number: int, _frame: object) -> None:
    for each in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal may send several
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)  # as shells say it


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TaskdError(f"cannot write {path}: {_why(error)}") from None


def _why(error: OSError) -> str:
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
