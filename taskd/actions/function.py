"""`@action`: an action of one step, written as a function."""

import copy
import dataclasses
import inspect
import types
from collections.abc import Callable
from typing import Any, TypeVar, Unpack

from taskd.actions.action import Action
from taskd.actions.options import Options
from taskd.actions.place import Place, place_of_function
from taskd.actions.step import step

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__action__"


def action(**options: Unpack[Options]) -> Callable[[F], F]:
    """An action whose input are the parameters, and whose one step has the function's name.

    @action(label="facts.import")
    def import_facts(host: str) -> dict: ...

    It stays a plain function. A parameter with the function's own name is refused.
    """

    def declare(function: F) -> F:
        place = place_of_function(function)
        body: dict[str, Any] = {
            "__module__": function.__module__,
            "__qualname__": function.__qualname__,
            "__doc__": function.__doc__,
            "__annotations__": _annotations(function, place),
        }
        body |= _defaults(function)
        if function.__name__ in body["__annotations__"]:
            raise place.refuse(
                f"parameter {function.__name__!r} has the function's name: rename it"
            )
        body[function.__name__] = _method(function)
        function.__dict__[_MARK] = _make(function.__name__, body, options)
        return function

    return declare


def action_of(declared: object) -> type[Action] | None:
    """The action that a class or an `@action` function stands for; None for anything else."""
    if isinstance(declared, type):
        return declared if issubclass(declared, Action) and declared is not Action else None
    made: type[Action] | None = getattr(declared, "__dict__", {}).get(_MARK)
    return made


def _make(name: str, body: dict[str, Any], options: Options) -> type[Action]:
    return types.new_class(name, (Action,), dict(options), lambda namespace: namespace.update(body))


def _annotations(function: Callable[..., Any], place: Place) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise place.refuse(f"parameter {parameter} is no input: name each one")
        if parameter.annotation is parameter.empty:
            raise place.refuse(
                f"parameter {parameter.name!r} has no type, as in {parameter.name}: str"
            )
    return {parameter.name: parameter.annotation for parameter in parameters}


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """A default that can change is copied for each task."""
    return {
        parameter.name: dataclasses.field(default_factory=_copier(parameter.default))
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is not parameter.empty
    }


def _copier(value: Any) -> Callable[[], Any]:
    return lambda: copy.deepcopy(value)


def _method(function: Callable[..., Any]) -> Callable[[Action], Any]:
    names = tuple(inspect.signature(function).parameters)

    def call(self: Action) -> Any:
        return function(**{name: getattr(self, name) for name in names})

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    call.__qualname__ = function.__qualname__
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise place_of_function(function).refuse("it must be a plain function: return its result")
    return step(call)
