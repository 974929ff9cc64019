"""Secret inputs: a private file per task, synced before the commit, gone when the task stops.

A recurring logic has such a file, too, for its tasks.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from taskd.model.step import JSON
from taskd.model.task import HIDDEN as HIDDEN

_LOGIC = "logic-"


def write(folder: Path, owner: int | str, values: dict[str, JSON]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(_path(folder, owner), flags, 0o600), "w") as file:
        json.dump(values, file)
        file.flush()
        os.fsync(file.fileno())
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


def read(folder: Path, owner: int | str) -> dict[str, JSON]:
    """The values by field; none when there is no file."""
    try:
        return dict(json.loads(_path(folder, owner).read_text()))
    except FileNotFoundError:
        return {}


def of_logic(logic_id: int) -> str:
    """The owner of what a recurring logic gives to its tasks."""
    return f"{_LOGIC}{logic_id}"


def sweep(folder: Path, is_needed: Callable[[int], bool], is_open: Callable[[int], bool]) -> None:
    """At start: a crash may have left files of tasks that were never committed, or have stopped;
    and of recurring logics."""
    for path in folder.glob("*.json"):
        number = path.stem.removeprefix(_LOGIC)
        needed = is_needed if number == path.stem else is_open
        if not (number.isdecimal() and needed(int(number))):
            path.unlink()


def remove(folder: Path, owner: int | str) -> None:
    _path(folder, owner).unlink(missing_ok=True)


def _path(folder: Path, owner: int | str) -> Path:
    return folder / f"{owner}.json"
