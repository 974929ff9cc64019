"""How API functions run, and the table of them.

@query      f(connection, …)        on a snapshot, in a reader's thread
@command    f(tx, …)                in the director's transaction; answered after the commit
@errand     f(engine, …)            in a thread of its own time: it may wait for a host or a file
@waiting    f(tx, reply, …)         in the director; answers now or, by NOT_YET, after a later comm

A command that is `fresh` first has changed action files read again. Parameters are checked against
the signature before the function is called.
"""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeVar, Union

from taskd.api.access import Permission
from taskd.model.errors import InvalidInput
from taskd.search.values import MAX_WHOLE

NOT_YET = object()


class Reply(Protocol):
    """For a method that waits: how it answers later."""

    def answer(self, value: object) -> None: ...

    def later(self, seconds: float, function: Callable[[], object]) -> None:
        """Unless it was answered by then."""

    def retry(self, seconds: float, function: Callable[[], object]) -> None:
        """Answer with what `function` gives then, as an errand."""

    def when_gone(self, function: Callable[[], object]) -> None:
        """If the client goes, which is noticed after `later`."""

    def when_closed(self, what: str, function: Callable[[], object]) -> None:
        """Whenever the client goes; one function for `what`. In the loop."""


F = TypeVar("F", bound=Callable[..., Any])


class Kind(Enum):
    QUERY = "query"
    COMMAND = "command"
    ERRAND = "errand"
    WAITING = "waiting"


@dataclass(frozen=True)
class Method:
    name: str
    kind: Kind
    needs: Permission
    fresh: bool
    function: Callable[..., Any]
    given: frozenset[str]  # which of the daemon's parts it takes
    types: dict[str, tuple[type, ...]]  # what each parameter may be
    texts: frozenset[str]  # parameters that are lists or mappings of texts
    required: frozenset[str]

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Raises InvalidInput, naming all that is wrong."""
        if not (self.required <= parameters.keys() <= self.types.keys()):
            raise InvalidInput(self._complain(parameters))
        for name, value in parameters.items():
            if type(value) not in self.types[name]:
                expected = " or ".join(kind.__name__ for kind in self.types[name])
                raise InvalidInput(
                    f"{self.name}: {name} is {type(value).__name__}, expected {expected}"
                )
            if type(value) is int and abs(value) > MAX_WHOLE and str not in self.types[name]:
                raise InvalidInput(f"{self.name}: {name} is too large a number")

        for name in self.texts & parameters.keys():
            value = parameters[name]
            texts = value.values() if type(value) is dict else value or ()
            if not all(isinstance(text, str) for text in texts):
                raise InvalidInput(f"{self.name}: {name} holds something that is no text")

    def _complain(self, parameters: Mapping[str, Any]) -> str:
        missing = ", ".join(sorted(self.required - parameters.keys()))
        unknown = ", ".join(sorted(parameters.keys() - self.types.keys()))
        parts = [f"missing {missing}"] * bool(missing) + [f"unknown {unknown}"] * bool(unknown)
        return f"{self.name}: {'; '.join(parts)}"


METHODS: dict[str, Method] = {}


def query(needs: Permission) -> Callable[[F], F]:
    return lambda function: _register(function, Kind.QUERY, needs)


def command(needs: Permission, *, fresh: bool = False) -> Callable[[F], F]:
    return lambda function: _register(function, Kind.COMMAND, needs, fresh)


def errand(needs: Permission) -> Callable[[F], F]:
    return lambda function: _register(function, Kind.ERRAND, needs)


def waiting(needs: Permission) -> Callable[[F], F]:
    return lambda function: _register(function, Kind.WAITING, needs)


_TEXTS = (list[str], list[str] | None, dict[str, str])
_GIVEN = frozenset(("engine", "caller", "reply"))  # by the server, with the request
_GIVEN_LATER = frozenset(("connection", "tx"))  # by who runs it


def _register(function: F, kind: Kind, needs: Permission, fresh: bool = False) -> F:
    name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
    parameters = inspect.signature(function).parameters
    asked, required = _asked(function)
    METHODS[name] = Method(
        name=name,
        kind=kind,
        needs=needs,
        fresh=fresh,
        function=function,
        given=_GIVEN & parameters.keys(),
        types={key: _kinds(hint) for key, hint in asked.items()},
        texts=frozenset(k for k, hint in asked.items() if hint in _TEXTS),
        required=required,
    )
    return function


def _asked(function: Callable[..., Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """The types of what a request may hold, by name, and what it must hold.

    `**order: Unpack[Order]` stands for the optional keys of `Order`.
    """
    hints = typing.get_type_hints(function)
    asked: dict[str, Any] = {}
    required = set()
    for key, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            asked |= typing.get_type_hints(*typing.get_args(hints[key]))
        elif key not in _GIVEN | _GIVEN_LATER:
            asked[key] = hints[key]
            if parameter.default is inspect.Parameter.empty:
                required.add(key)
    return asked, frozenset(required)


def _kinds(hint: Any) -> tuple[type, ...]:
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        return tuple(kind for part in typing.get_args(hint) for kind in _kinds(part))
    if hint is float:
        return (float, int)
    if hint is Any:
        return (dict, list, str, int, float, bool, type(None))
    if origin is not None and issubclass(origin, Mapping):
        return (dict,)
    return (origin or hint,)
