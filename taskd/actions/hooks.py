"""`@on("paused")`: a method that is called when the task has come to a state or result."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from taskd.actions.place import place_of_function
from taskd.model.definition import Hook
from taskd.model.suggest import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])
EVENTS = ("running", "paused", "stopped", "success", "warning", "error", "cancelled")
_MARK = "__hook__"


def on(*events: str) -> Callable[[F], F]:
    """A hook: `running`, `paused` and `stopped` are states of the task, the others results with
    which it stops.

    It takes `self` and, if it likes, `task` (a `taskd.model.task.Task`). It runs in a host, at
    least once, after the change is stored; what it raises is logged and changes nothing.
    """

    def mark(method: F) -> F:
        place = place_of_function(method)
        if not events or callable(events[0]):
            raise place.refuse("@on needs events: write e.g. @on('paused')")
        for event in events:
            if event not in EVENTS:
                remedy = did_you_mean(event, EVENTS) or f"; there are {', '.join(EVENTS)}"
                raise place.refuse(f"@on({event!r}) is no event{remedy}")
        takes = tuple(inspect.signature(method).parameters)[1:]
        if takes not in ((), ("task",)):
            name = method.__name__
            raise place.refuse(f"hook {name!r} takes {', '.join(takes)}: write {name}(self, task)")
        method.__dict__[_MARK] = Hook(method.__name__, tuple(map(str, events)))
        return method

    return mark


def hook_of(method: object) -> Hook | None:
    """What `@on` wrote on the method; None where it is no hook."""
    return getattr(method, "__dict__", {}).get(_MARK)
