"""`@step`: marks a method as checkpointed work. It stays a plain method."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

from taskd.actions.options import check_flag, check_rescue, read
from taskd.actions.place import Place, place_of_function
from taskd.actions.retries import check_retry
from taskd.model.definition import Retry, StepDefinition
from taskd.model.interval import parse_interval
from taskd.model.step import Rescue

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__step__"
MAX_WEIGHT = 1e9


@overload
def step(function: F, /) -> F: ...


@overload
def step(
    *,
    retry: int | Retry = 0,
    timeout: str | float | None = None,
    weight: float = 1.0,
    idempotent: bool = False,
    rescue: Rescue | None = None,
) -> Callable[[F], F]: ...


def step(function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
    """A step of the action. Its parameters name the earlier steps whose outputs it needs.

    `retry` is the number of further attempts; `timeout` is `"10m"` or seconds; `weight` is its
    share of the task's progress; `idempotent`: it may be run again after a crash.
    """

    def mark(method: F) -> F:
        place = _checked(method)
        method.__dict__[_MARK] = StepDefinition(
            name=method.__name__,
            needs=_needs(method, place),
            doc=inspect.getdoc(method) or "",
            **read(options, _CHECKS, "a step", place.within(method.__name__)),
        )
        return method

    return mark if function is None else mark(function)


def step_of(method: object) -> StepDefinition | None:
    """What `@step` wrote on the method; None where it is no step."""
    return getattr(method, "__dict__", {}).get(_MARK)


def plain_step(method: Callable[..., Any]) -> StepDefinition:
    """What `@step` would write, for a method that is a step by its name."""
    return step_of(method) or StepDefinition(
        name=method.__name__,
        needs=_needs(method, place_of_function(method)),
        doc=inspect.getdoc(method) or "",
    )


def _checked(method: Callable[..., Any]) -> Place:
    if not inspect.isfunction(method):
        raise TypeError(f"@step belongs on a plain method, nearest to its def, not on {method!r}")
    place = place_of_function(method)
    if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
        raise place.refuse(f"step {method.__name__!r} is async: write a plain def")
    if inspect.isgeneratorfunction(method):
        raise place.refuse(f"step {method.__name__!r} yields: collect a list and return it")
    return place


def _needs(method: Callable[..., Any], place: Place) -> tuple[str, ...]:
    parameters = list(inspect.signature(method).parameters.values())
    if not parameters:
        raise place.refuse(f"step {method.__name__!r} takes no self: write {method.__name__}(self)")
    for parameter in parameters[1:]:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise place.refuse(
                f"step {method.__name__!r} takes {parameter}: name each step that it needs"
            )
    return tuple(parameter.name for parameter in parameters[1:])


def _check_retry(retry: object) -> Retry:
    if isinstance(retry, int) and not isinstance(retry, bool):
        retry = Retry(retry)
    if not isinstance(retry, Retry):
        raise ValueError("expected a number of further attempts, or e.g. Retry(3, delay=30)")
    return check_retry(retry)


def _check_timeout(timeout: Any) -> float | None:
    if timeout is None:
        return None
    seconds = parse_interval(timeout).total_seconds()
    if seconds <= 0:
        raise ValueError("it must be above 0; leave it out for none")
    return seconds


def _check_weight(weight: object) -> float:
    if (
        isinstance(weight, int | float)
        and not isinstance(weight, bool)
        and 0 <= weight < MAX_WEIGHT
    ):
        return float(weight)
    raise ValueError("expected 0 or more")


def _check_rescue(rescue: object) -> Rescue | None:
    return None if rescue is None else check_rescue(rescue)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "retry": _check_retry,
    "timeout": _check_timeout,
    "weight": _check_weight,
    "idempotent": check_flag,
    "rescue": _check_rescue,
}
