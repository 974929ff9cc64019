"""Every method of the client is one of the API, with its parameters; and the other way round."""

import inspect
from typing import Any

import pytest

from taskd.api import every  # noqa: F401
from taskd.api.methods import METHODS
from taskd.channel import Channel
from taskd.client import Client
from taskd.wire import encode

GIVEN: dict[str, Any] = {
    "action": "demo",
    "requests": [{"action": "demo"}],
    "text": "label: demo",
    "file": "demo.yaml",
    "command": "true",
    "cwd": "/",
    "environment": {"PATH": "/bin"},
    "task_id": 42,
    "label": "demo",
    "search": "state = ",
    "repeat": {"daily": "02:30"},
    "logic_id": 3,
    "task_ids": [42],
    "number": 1,
    "line": "30 2 * * *",
    "name": "executor_slots",
    "value": "8",
}
TYPED = [
    name
    for name, value in vars(Client).items()
    if inspect.isfunction(value) and not name.startswith("_") and name != "call"
]


class Told(BaseException):
    """What would have gone over the socket; it ends whatever waits for an answer."""


class Unconnected(Client):
    def __init__(self) -> None:
        pass

    def ask(self, method: str, **parameters: Any) -> Any:
        raise Told(method, encode(parameters))


def requested(name: str) -> tuple[str, dict[str, Any]]:
    """The request that the client's method makes."""
    method = getattr(Unconnected(), name)
    needed = [
        parameter.name
        for parameter in inspect.signature(method).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    ]
    with pytest.raises(Told) as told:
        method(**{key: GIVEN[key] for key in needed})
    asked, parameters = told.value.args
    return asked, parameters


@pytest.mark.parametrize("name", TYPED)
def test_client_method_fits_the_api(name: str) -> None:
    method, parameters = requested(name)

    METHODS[method].check(parameters)


def test_every_api_method_has_one_of_the_client() -> None:
    assert {requested(name)[0] for name in TYPED} == METHODS.keys()


@pytest.mark.parametrize("name", sorted(METHODS))
def test_api_method_says_what_it_needs(name: str) -> None:
    method = METHODS[name]

    assert method.needs
    assert method.required <= method.types.keys()


def test_typed_client_keeps_what_a_plain_channel_can() -> None:
    assert issubclass(Client, Channel)
