"""How values stand in the store, and how in a record: as JSON, in both directions.

What stands in the store as JSON is passed on as the text that it is.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from time import gmtime, strftime
from typing import Any, TypeAlias

from taskd import wire
from taskd.model.errors import InvalidInput
from taskd.store.times import to_number

MAX_WHOLE = 2**63 - 1

Row: TypeAlias = Sequence[Any]


@dataclass(frozen=True)
class Value:
    """`write`: what the store has → JSON text. `read`: JSON value → what the store has.

    The latter raises ValueError for what is none of its kind.
    """

    write: Callable[[Any], str]
    read: Callable[[Any], Any]


class Fields:
    """Fields of a record by name, in their order; the columns have the same names."""

    def __init__(self, fields: Mapping[str, Value]) -> None:
        self.columns = ", ".join(fields)
        self.parameters = ", ".join(f":{name}" for name in fields)
        self._fields = dict(fields)
        self._writes = [value.write for value in fields.values()]
        self._template = ",".join(f"{quoted(name)}:%s" for name in fields)

    def members(self, row: Row) -> str:
        """Of a JSON object. `row` begins with the columns."""
        return self._template % tuple(
            [write(value) for write, value in zip(self._writes, row, strict=False)]
        )

    def write(self, row: Row) -> str:
        """A JSON object."""
        return f"{{{self.members(row)}}}"

    def read(self, record: object) -> dict[str, Any]:
        """Column → value. Raises InvalidInput."""
        if not isinstance(record, dict):
            raise InvalidInput("there is something else than an object")
        row = {}
        for name, value in self._fields.items():
            try:
                row[name] = value.read(record.get(name))
            except (ValueError, OverflowError):
                what = json.dumps(record.get(name))[:50]
                raise InvalidInput(f"{name} cannot be {what}") from None
        return row


def optional(value: Value) -> Value:
    write, read = value.write, value.read
    return Value(
        lambda stored: "null" if stored is None else write(stored),
        lambda given: None if given is None else read(given),
    )


def one_of(words: Iterable[str]) -> Value:
    written = {str(word): f'"{word}"' for word in words}

    def read(given: Any) -> str:
        if not isinstance(given, str) or given not in written:
            raise ValueError
        return given

    return Value(written.__getitem__, read)


def _read_text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError
    if not given.isascii():
        given.encode()  # halves of surrogate pairs are no text
    return given


def _read_whole(given: Any) -> int:
    if type(given) is not int or abs(given) > MAX_WHOLE:
        raise ValueError
    return given


def _read_number(given: Any) -> float:
    if type(given) not in (int, float) or not math.isfinite(given):
        raise ValueError
    return float(given)


def _read_flag(given: Any) -> int:
    if type(given) is not bool:
        raise ValueError
    return int(given)


def _write_time(stored: int) -> str:
    seconds, rest = divmod(stored, 1_000_000)
    return f'"{_second(seconds)}.{rest:06d}Z"'


@lru_cache(1024)
def _second(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))


def _read_time(given: Any) -> int | None:
    if not isinstance(given, str):
        raise ValueError
    time = datetime.fromisoformat(given)
    if time.tzinfo is None:
        raise ValueError
    return to_number(time)


def _read_object(given: Any) -> str:
    if not isinstance(given, dict):
        raise ValueError
    return json.dumps(given) if given else "{}"


def _list(dumps: Callable[[Any], str]) -> Value:
    def read(given: Any) -> str | None:
        if not isinstance(given, list):
            raise ValueError
        return dumps(given) if given else None

    return Value(lambda stored: stored or "[]", read)


def _json(dumps: Callable[[Any], str]) -> Value:
    return optional(Value(str, dumps))


TEXT = Value(quoted, _read_text)
WHOLE = Value(str, _read_whole)
NUMBER = Value(repr, _read_number)
FLAG = Value(lambda stored: "true" if stored else "false", _read_flag)
TIME = Value(_write_time, _read_time)
JSON = _json(json.dumps)
OBJECT = Value(str, _read_object)
WORDS = _list(json.dumps)
RECORD = _json(wire.dumps)
RECORDS = _list(wire.dumps)
