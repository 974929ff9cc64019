"""Messages and records, to JSON and back."""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskd import wire
from taskd.model.errors import NotFound, ProtocolError, QueryError, TaskdError
from taskd.model.page import Page
from taskd.model.step import Step, StepKind, StepState

T = TypeVar("T")


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Wheel:
    name: str
    size: int = 20


@dataclass(frozen=True)
class Bike:
    __hidden__: ClassVar = frozenset(("lock_code",))
    __records__: ClassVar = ("wheels",)

    colour: Colour
    bought_at: datetime | None = None
    wheels: dict[str, Wheel] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    lock_code: int = 0


@dataclass(frozen=True)
class Box(Generic[T]):
    content: T


NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_record_comes_back_as_it_was() -> None:
    bike = Bike(Colour.RED, NOON, {"front": Wheel("front", 28)}, ("old",))

    assert wire.decode(Bike, json.loads(wire.dumps(bike))) == bike


def test_times_travel_as_utc() -> None:
    local = NOON.astimezone(timezone(timedelta(hours=2)))

    assert wire.dumps(local) == '"2026-03-01T12:00:00.000000Z"'


def test_records_by_name_travel_as_a_list() -> None:
    bike = Bike(Colour.RED, wheels={"front": Wheel("front"), "rear": Wheel("rear")})

    assert [wheel["name"] for wheel in wire.encode(bike)["wheels"]] == ["front", "rear"]


def test_hidden_field_stays_in_the_daemon() -> None:
    assert "lock_code" not in wire.encode(Bike(Colour.RED, lock_code=1234))


def test_missing_field_takes_its_default() -> None:
    assert wire.decode(Bike, {"colour": "red"}) == Bike(Colour.RED)


def test_defaults_are_not_shared() -> None:
    first, second = wire.decode(list[Bike], [{"colour": "red"}, {"colour": "red"}])

    assert first.wheels is not second.wheels


def test_unknown_field_of_a_newer_daemon_is_passed_over() -> None:
    assert wire.decode(Wheel, {"name": "front", "tyre": "new"}) == Wheel("front")


def test_missing_field_without_default_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="Wheel without 'name'"):
        wire.decode(Wheel, {"size": 3})


def test_generic_record_is_read_by_its_argument() -> None:
    page = wire.decode(Page[Wheel], {"items": [{"name": "front"}], "total": 1})

    assert page == Page([Wheel("front")], 1)
    assert wire.decode(Box[Colour], {"content": "red"}).content is Colour.RED


def test_step_keeps_its_state() -> None:
    step = Step(
        name="dump", kind=StepKind.RUN, state=StepState.SKIPPED, number=1, output={"a": [1]}
    )

    assert wire.decode(Step, wire.encode(step)) == step


def test_what_is_no_json_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="cannot write object as JSON"):
        wire.dumps(object())


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_number_that_json_lacks_cannot_be_written(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        wire.dumps(number)


@pytest.mark.parametrize("line", [b"", b"{", b"nonsense", b"NaN", b"\xff", b"[" * 100_000])
def test_line_that_is_no_json_is_a_protocol_error(line: bytes) -> None:
    with pytest.raises(ProtocolError, match="cannot read the message as JSON"):
        wire.loads(line)


@given(st.binary())
def test_reading_a_line_never_fails_in_another_way(line: bytes) -> None:
    with suppress(ProtocolError):
        wire.loads(line)


def test_request_is_one_line() -> None:
    line = wire.request(7, "tasks.resume", {"task_id": 42, "note": "a\nb"})

    assert line.count(b"\n") == 1
    assert wire.loads(line) == {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tasks.resume",
        "params": {"task_id": 42, "note": "a\nb"},
    }


def test_result_holds_the_json_that_it_is_given() -> None:
    assert wire.loads(wire.result("seven", '{"id":42}')) == {
        "jsonrpc": "2.0",
        "id": "seven",
        "result": {"id": 42},
    }


@pytest.mark.parametrize(
    "error",
    [
        NotFound("there is no task 42", hint="taskctl list"),
        QueryError("expected a value", position=8),
        TaskdError("it went wrong"),
    ],
)
def test_error_arrives_as_it_was_raised(error: TaskdError) -> None:
    body: dict[str, Any] = wire.loads(wire.failure(3, error))["error"]

    arrived = wire.error_from(body)

    assert type(arrived) is type(error)
    assert vars(arrived) == vars(error)


def test_error_of_a_plain_json_rpc_server_is_understood() -> None:
    arrived = wire.error_from({"code": wire.METHOD_NOT_FOUND, "message": "no such method"})

    assert (type(arrived), arrived.message) == (TaskdError, "no such method")
