"""Where the logs of a task are: `logs/42/42001/2-archive.log`, a thousand tasks a folder."""

import itertools
import logging
import shutil
from pathlib import Path

log = logging.getLogger(__name__)


def log_path(root: str, task_id: int, number: int, step: str) -> str:
    return f"{folder(root, task_id)}/{number}-{step}.log"


def drop(root: str, task_id: int) -> None:
    """Remove the logs of a task; there need not be any."""
    shutil.rmtree(folder(root, task_id), ignore_errors=True)


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
