"""Describes the actions of Python files, of the action folders and of installed packages.

Apart from `python_source.py` since hosts, which only run steps, must stay small.
"""

import importlib
import traceback
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from taskd.actions.action import Action
from taskd.actions.function import action_of
from taskd.catalog.describe import describe, is_listed, revision_of
from taskd.catalog.python_source import PACKAGE
from taskd.model.definition import Broken, Definition, Isolation
from taskd.model.errors import InvalidAction

ENTRY_POINTS = "taskd.actions"
Found: TypeAlias = Definition | Broken


def read_python_file(file: Path, folder: Path) -> list[Found]:
    """Its actions; one Broken where it cannot be loaded."""
    module = ".".join((PACKAGE, *file.relative_to(folder).with_suffix("").parts))
    if "." in file.stem:
        return [Broken(str(file), 1, "cannot be a module: leave the dots out of its name")]
    return _read_module(module, file)


def read_entry_points() -> list[Found]:
    found: list[Found] = []
    for module in dict.fromkeys(entry.module for entry in entry_points(group=ENTRY_POINTS)):
        found += _read_module(module, None)
    return found


def _read_module(name: str, file: Path | None) -> list[Found]:
    try:
        module = importlib.import_module(name)
        if file is not None and Path(module.__file__ or "") != file:
            return [Broken(str(file), 1, f"is hidden by {module.__file__}: rename one")]
        revision = revision_of(Path(module.__file__).read_bytes()) if module.__file__ else ""
        found = [describe(action, name, revision) for name, action in _actions(module)]
        _refuse_mixture(found)
        return [*found]
    # An author's file may do anything as it is loaded, sys.exit() included; others go on.
    except BaseException as error:
        return [_broken(error, str(file or name))]


def _actions(module: ModuleType) -> Iterator[tuple[str, type[Action]]]:
    """Those that it declares, not those that it imports; under their first name."""
    seen = set()
    for name, value in vars(module).items():
        action = action_of(value)
        if action and action.__module__ == module.__name__ and action not in seen:
            seen.add(action)
            if is_listed(action):
                yield name, action


def _refuse_mixture(definitions: list[Definition]) -> None:
    """The daemon imports the whole file of an action that runs in its threads."""
    guests = [action for action in definitions if action.isolation is Isolation.THREAD]
    others = [action for action in definitions if action.isolation is not Isolation.THREAD]
    if guests and others:
        raise InvalidAction(
            f"{guests[0].label} has isolation='thread' and {others[0].label} has not:"
            " put them in two files, since the daemon imports that of the first",
            file=guests[0].file,
            line=guests[0].line,
        )


def _broken(error: BaseException, file: str) -> Broken:
    if isinstance(error, InvalidAction) and error.file == file:
        return Broken(file, error.line, error.reason)
    if isinstance(error, SyntaxError) and error.filename == file:
        return Broken(file, error.lineno or 1, f"{type(error).__name__}: {error.msg}")
    frames = traceback.extract_tb(error.__traceback__)
    line = next((frame.lineno for frame in reversed(frames) if frame.filename == file), None)
    return Broken(file, line or 1, _in_words(error))


def _in_words(error: BaseException) -> str:
    if isinstance(error, InvalidAction):
        return error.message
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
