"""Where the logs of a task are: `logs/42/42001/2-archive.log`, a thousand tasks a folder."""

import contextlib
import itertools
import logging
import math
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

log = logging.getLogger(__name__)


def log_path(root: str, task_id: int, number: int, step: str) -> str:
    return f"{folder(root, task_id)}/{number}-{step}.log"


def drop(root: str, task_ids: Iterable[int]) -> None:
    """Remove the logs of tasks; there need not be any."""
    for thousand, ids in itertools.groupby(sorted(task_ids), lambda task_id: task_id // 1000):
        there = _names(f"{root}/{thousand}")
        for task_id in ids:
            if str(task_id) in there:
                shutil.rmtree(folder(root, task_id), ignore_errors=True)


def find_old(root: str, before: float) -> Iterator[list[int]]:
    """The tasks whose folders nobody has put anything in since then, a thousand at a time.

    Folders that are empty go.
    """
    for thousand in _names(root):
        place = f"{root}/{thousand}"
        old = [name for name in _names(place) if _changed(f"{place}/{name}") < before]
        yield [int(name) for name in old if name.isdecimal()]
        if _changed(place) < before:
            with contextlib.suppress(OSError):  # there is something in it
                os.rmdir(place)


def _names(folder: str) -> set[str]:
    try:
        return set(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _changed(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except FileNotFoundError:
        return math.inf


def last_id(root: Path) -> int:
    """Of the tasks that have logs, the highest; 0 where there are none."""
    folders = sorted(_numbers(root), reverse=True)
    found = (max(_numbers(root / str(number)), default=0) for number in folders)
    return next(filter(None, found), 0)


def _numbers(place: Path) -> list[int]:
    """That folders in it have for names."""
    return [int(path.name) for path in place.glob("*") if path.name.isdecimal()]


def folder(root: str, task_id: int) -> str:
    return f"{root}/{task_id // 1000}/{task_id}"


def set_aside(root: Path) -> None:
    """Logs of tasks that are not known any more: under another name, where nobody writes."""
    if root.exists() and any(root.iterdir()):
        names = (root.with_name(f"{root.name}.old-{number}") for number in itertools.count(1))
        place = next(name for name in names if not name.exists())
        root.rename(place)
        log.warning("the store is new: logs of another one were moved to %s", place)
