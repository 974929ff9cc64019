"""`@step`: marks a method as checkpointed work. It stays a plain method."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

from taskd.actions.place import Place, place_of_function
from taskd.model.definition import Retry, StepDefinition
from taskd.model.errors import InvalidInput
from taskd.model.interval import parse_interval
from taskd.model.step import Rescue

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__step__"


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


def step(
    function: F | None = None,
    /,
    *,
    retry: int | Retry = 0,
    timeout: str | float | None = None,
    weight: float = 1.0,
    idempotent: bool = False,
    rescue: Rescue | None = None,
) -> F | Callable[[F], F]:
    """A step of the action. Its parameters name the earlier steps whose outputs it needs.

    `retry` is the number of further attempts; `timeout` is `"10m"` or seconds; `weight` is its
    share of the task's progress; `idempotent`: it may be run again after a crash.
    """

    def mark(method: F) -> F:
        place = _checked(method)
        method.__dict__[_MARK] = StepDefinition(
            name=method.__name__,
            needs=_needs(method, place),
            retry=_read_retry(retry, method, place),
            timeout=_read_timeout(timeout, method, place),
            weight=_read_weight(weight, method, place),
            idempotent=idempotent,
            rescue=_read_rescue(rescue, method, place),
            doc=inspect.getdoc(method) or "",
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


def _read_retry(retry: object, method: Callable[..., Any], place: Place) -> Retry:
    if isinstance(retry, int) and not isinstance(retry, bool) and retry >= 0:
        return Retry(retry)
    if isinstance(retry, Retry) and min(retry.times, retry.delay, retry.factor, retry.jitter) >= 0:
        return retry
    raise place.refuse(
        f"step {method.__name__!r} has retry={retry!r}: expected a number of further attempts, "
        "or e.g. Retry(3, delay=30)"
    )


def _read_timeout(
    timeout: str | float | None, method: Callable[..., Any], place: Place
) -> float | None:
    if timeout is None:
        return None
    try:
        seconds = parse_interval(timeout).total_seconds()
    except InvalidInput as error:
        raise place.refuse(f"step {method.__name__!r} has a wrong timeout: {error}") from None
    if seconds <= 0:
        raise place.refuse(f"step {method.__name__!r} has timeout={timeout!r}: it must be above 0")
    return seconds


def _read_weight(weight: object, method: Callable[..., Any], place: Place) -> float:
    if isinstance(weight, int | float) and not isinstance(weight, bool) and 0 <= weight < 1e9:
        return float(weight)
    raise place.refuse(f"step {method.__name__!r} has weight={weight!r}: expected 0 or more")


def _read_rescue(rescue: object, method: Callable[..., Any], place: Place) -> Rescue | None:
    if rescue is None or rescue in list(Rescue):
        return None if rescue is None else Rescue(str(rescue))
    raise place.refuse(
        f"step {method.__name__!r} has rescue={rescue!r}: expected Rescue.PAUSE, SKIP or FAIL"
    )
