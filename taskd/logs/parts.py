"""Logs of tasks beside their records, in exports and backups.

Short ones stand in the record, by the names of their files; a long one follows it in pieces, each a
line of its own:

    {"store": "d3b0…", "id": 42, …, "logs": {"1-dump": "2026-11-25T03:50:00.123456Z stdout F …\\n"}}
    {"id": 42, "log": "2-archive", "at": 0, "text": "…"}

Bytes that are no UTF-8 are halves of surrogate pairs there, as Python has them in names of files.
"""

import io
import os
import re
from collections.abc import Iterator
from json.encoder import encode_basestring_ascii as quoted
from typing import BinaryIO

from taskd.logs.files import folder
from taskd.model.errors import InvalidInput

SHORT = 1024 * 1024  # bytes of all the logs together that stand in the record
PIECE = 1024 * 1024  # bytes

_FILE = re.compile(r"([0-9]{1,9})-(\w{1,200})\.log")


def parts(root: str, task_id: int, skip: int = 0) -> Iterator[str]:
    """The members of `logs`, as JSON; then the lines that follow the record, but for `skip`."""
    short, long, room = [], [], SHORT
    for name in _names(root, task_id):
        with _open(root, task_id, name) as file:
            if (size := _size(file)) <= room:
                room -= size
                short.append(f"{quoted(name)}:{_text(file.read(size))}")
            else:
                long.append(name)
    yield ",".join(short)
    for name in long:
        with _open(root, task_id, name) as file:
            passed = min(skip, -(-_size(file) // PIECE))
            skip -= passed
            at = file.seek(passed * PIECE)
            while data := file.read(PIECE):
                yield f'{{"id":{task_id},"log":{quoted(name)},"at":{at},"text":{_text(data)}}}'
                at += len(data)


def tails(root: str, task_id: int, size: int) -> str:
    """The members of `logs`, as JSON, with only the last whole lines of each."""
    ends = []
    for name in _names(root, task_id):
        with _open(root, task_id, name) as file:
            begin = file.seek(max(0, _size(file) - size))
            data = file.read(size)
            if begin:
                data = data.partition(b"\n")[2]
            ends.append(f"{quoted(name)}:{_text(data)}")
    return ",".join(ends)


def read_part(name: object, text: object) -> bytes:
    """What the log of that name gets. Raises InvalidInput: no other file is ever written."""
    if not isinstance(name, str) or not _FILE.fullmatch(f"{name}.log") or _is_long(name):
        raise InvalidInput(f"a log cannot be named {str(name)[:50]!r}")
    try:
        if not isinstance(text, str):
            raise InvalidInput(f"the log {name} is no text")
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise InvalidInput(f"the log {name} holds something that is no text") from None


def _is_long(name: str) -> bool:
    """For a file system."""
    return len(os.fsencode(f"{name}.log")) > 255


def put(root: str, task_id: int, name: str, at: int, data: bytes) -> None:
    """Bring a part back, unless it is there already, or the one before it is not."""
    os.makedirs(folder(root, task_id), mode=0o700, exist_ok=True)
    path = f"{folder(root, task_id)}/{name}.log"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    with open(os.open(path, flags, 0o600), "ab") as file:
        size = file.tell()
        if at <= size:
            file.write(data[size - at :])


def _names(root: str, task_id: int) -> list[str]:
    try:
        files = os.listdir(folder(root, task_id))
    except FileNotFoundError:
        return []
    found = [match for file in files if (match := _FILE.fullmatch(file))]
    found.sort(key=lambda match: int(match[1]))
    return [f"{match[1]}-{match[2]}" for match in found]


def _open(root: str, task_id: int, name: str) -> BinaryIO:
    try:
        return open(f"{folder(root, task_id)}/{name}.log", "rb")
    except FileNotFoundError:  # it was deleted this moment
        return io.BytesIO()


def _size(file: BinaryIO) -> int:
    """It is read from its beginning then."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def _text(data: bytes) -> str:
    return quoted(data.decode("utf-8", "surrogateescape"))
