"""Where author code is found: modules `taskd_actions.<path>`, or of installed packages.

Whoever looks sets `sys.dont_write_bytecode` before: a cached file that is less than a second old
would hide the next edit.
"""

import importlib
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from taskd.actions.action import Action
from taskd.actions.function import action_of
from taskd.model.errors import NotFound
from taskd.model.suggest import did_you_mean

PACKAGE = "taskd_actions"


def mount(folders: Iterable[str]) -> None:
    """Make the action folders the package `taskd_actions`, and forget what was imported of it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    find_action.cache_clear()
    find_function.cache_clear()
    importlib.invalidate_caches()
    package = ModuleType(PACKAGE, "The action folders.")
    package.__path__ = [str(Path(folder).absolute()) for folder in folders]
    sys.modules[PACKAGE] = package


@cache
def find_action(module: str, name: str) -> type[Action]:
    """The class. Raises NotFound where the file or the name in it is gone, else what the file
    raises."""
    action = action_of(_find(module, name))
    if action is None:
        raise NotFound(f"no action {name!r} in {module!r}")
    return action


@cache
def find_function(module: str, name: str) -> Callable[..., Any]:
    """Of a module in the action folders, else of an installed one. Raises as `find_action` does."""
    try:
        found = _find(f"{PACKAGE}.{module}", name)
    except NotFound:
        found = _find(module, name)
    if not callable(found):
        near = did_you_mean(name, vars(sys.modules.get(f"{PACKAGE}.{module}", sys)))
        raise NotFound(f"no function {name!r} in {module!r}{near}")
    return found


def _find(module: str, name: str) -> object:
    try:
        found: object = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(error.name + ".")):
            raise NotFound(f"no module {module!r}") from None
        raise
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
