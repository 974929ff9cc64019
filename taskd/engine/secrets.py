"""Secret inputs: a private file per task, synced before the commit, gone when the task stops."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from taskd.model.step import JSON
from taskd.model.task import HIDDEN as HIDDEN


def write(folder: Path, task_id: int, values: dict[str, JSON]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(_path(folder, task_id), flags, 0o600), "w") as file:
        json.dump(values, file)
        file.flush()
        os.fsync(file.fileno())
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


def read(folder: Path, task_id: int) -> dict[str, JSON]:
    """The values by field; none when there is no file."""
    try:
        return dict(json.loads(_path(folder, task_id).read_text()))
    except FileNotFoundError:
        return {}


def sweep(folder: Path, is_needed: Callable[[int], bool]) -> None:
    """At start: a crash may have left files of tasks that were never committed, or have stopped."""
    for path in folder.glob("*.json"):
        if not (path.stem.isdecimal() and is_needed(int(path.stem))):
            path.unlink()


def remove(folder: Path, task_id: int) -> None:
    _path(folder, task_id).unlink(missing_ok=True)


def _path(folder: Path, task_id: int) -> Path:
    return folder / f"{task_id}.json"
