"""What a step may return instead of its output: call me again later, or wait for other tasks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from taskd.actions.action import Action, label_of
from taskd.actions.declaration import declaration_of
from taskd.actions.function import action_of
from taskd.actions.types import plain
from taskd.model.definition import MAX_CONCURRENCY
from taskd.model.interval import parse_interval
from taskd.model.step import JSON


@dataclass(frozen=True, init=False)
class Snooze:
    """Call the step again after `delay` (seconds, or as in `"10m"`), without a host until then.

    `keep` is JSON that the step finds in `self.task.kept` when it is called again, also after an
    error and resume.
    """

    seconds: float
    keep: JSON = None

    def __init__(self, delay: float | str, keep: JSON = None) -> None:
        object.__setattr__(self, "seconds", parse_interval(delay).total_seconds())
        object.__setattr__(self, "keep", keep)


@dataclass(frozen=True)
class Request:
    """An action and its input, as JSON."""

    label: str
    input: dict[str, JSON]


def request(action: str | Callable[..., Any], /, **input: JSON) -> Request:
    """An action by its label, or an `@action` function, with its input: for `SubTasks`."""
    if isinstance(action, str):
        return Request(action, input)
    declared = action_of(action)
    if declared is None:
        raise TypeError(f"{action!r} is no action: give a label, or a function with @action")
    return as_request(declared(**input))


Requested: TypeAlias = Action | Request


@dataclass(frozen=True, init=False)
class SubTasks:
    """Start these and wait for them, at most `concurrency` at a time.

    The step's output is `{"total": 3, "success": 2, "warning": 1, "error": 0, "cancelled": 0,
    "tasks": [43, 44, 45]}`.
    """

    actions: tuple[Requested, ...]
    concurrency: int | None = None

    def __init__(self, actions: Iterable[Requested], concurrency: int | None = None) -> None:
        if concurrency is not None and not 1 <= concurrency <= MAX_CONCURRENCY:
            raise ValueError(
                f"concurrency={concurrency}: it must be between 1 and {MAX_CONCURRENCY}"
            )
        object.__setattr__(self, "actions", tuple(actions))
        object.__setattr__(self, "concurrency", concurrency)


def as_request(requested: Requested) -> Request:
    """Raises TypeError for what is none."""
    if isinstance(requested, Request):
        return requested
    if not isinstance(requested, Action):
        raise TypeError(f"SubTasks takes actions, as in Notify(channel='ops'), not {requested!r}")
    fields = declaration_of(type(requested)).fields
    input = {field.name: plain(getattr(requested, field.name)) for field in fields}
    return Request(label_of(type(requested)), input)
