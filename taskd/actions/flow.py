"""The order of steps, as `plan()` says it. Its stored form is in `taskd.model.flow`."""

from collections.abc import Callable
from typing import Any, TypeAlias

from taskd.model.task import Flow

Part: TypeAlias = Callable[..., Any] | Flow


def sequence(*parts: Part) -> Flow:
    """One after the other: `sequence(self.dump, concurrence(self.copy, "verify"))`."""
    return ["sequence", *map(_name, parts)]


def concurrence(*parts: Part) -> Flow:
    """Side by side."""
    return ["concurrence", *map(_name, parts)]


def _name(part: Part) -> Flow:
    return part.__name__ if callable(part) else part
