"""How values stand in the store, and how in a record: as JSON, in both directions.

Records are written by SQLite itself, which is faster than to make values of Python of them, and
leaves the interpreter to others. What stands in the store as JSON is passed on as it is.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taskd import wire
from taskd.model.errors import InvalidInput
from taskd.store.times import to_number

MAX_WHOLE = 2**63 - 1


@dataclass(frozen=True)
class Value:
    """`sql` makes JSON of the column `{}`. `read` makes what the store has of a JSON value, and
    raises ValueError for what is none of its kind; of null only where that is one."""

    sql: str
    read: Callable[[Any], Any]
    optional: bool = False


class Fields:
    """Fields of a record by name, in their order; the columns have the same names."""

    def __init__(self, fields: Mapping[str, Value]) -> None:
        self.names = tuple(fields)
        self.columns = ", ".join(fields)
        self.parameters = ", ".join(f":{name}" for name in fields)
        self._reads = [(name, value.read, value.optional) for name, value in fields.items()]
        members = ",".join(f'"{name}":%s' for name in fields)
        values = ", ".join(value.sql.format(name) for name, value in fields.items())
        self.members = f"printf('{members}', {values})"  # of a JSON object
        self.object = f"printf('{{{members}}}', {values})"

    def read(self, record: object) -> dict[str, Any]:
        """What each column gets, in their order. Raises InvalidInput."""
        if not isinstance(record, dict):
            raise InvalidInput("there is something else than an object")
        get = record.get
        try:
            return {
                name: None if (given := get(name)) is None and optional else read(given)
                for name, read, optional in self._reads
            }
        except (ValueError, OverflowError):
            raise InvalidInput(self._complaint(record)) from None

    def _complaint(self, record: Mapping[str, Any]) -> str:
        for name, read, optional in self._reads:
            try:
                if record.get(name) is not None or not optional:
                    read(record.get(name))
            except (ValueError, OverflowError):
                return f"{name} cannot be {json.dumps(record.get(name))[:50]}"
        raise AssertionError("there is nothing wrong with it")


def optional(value: Value) -> Value:
    return Value(f"coalesce({value.sql}, 'null')", value.read, optional=True)


def one_of(words: Iterable[str]) -> Value:
    known = frozenset(map(str, words))

    def read(given: Any) -> str:
        if not isinstance(given, str) or given not in known:
            raise ValueError
        return given

    return Value("json_quote({0})", read)


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


_YEARS = range(1970, 9999)  # that a clock anywhere can show


def _read_time(given: Any) -> int | None:
    if not isinstance(given, str):
        raise ValueError
    time = datetime.fromisoformat(given)
    if time.tzinfo is None or time.year not in _YEARS:
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

    return Value("coalesce({0}, '[]')", read)


def _json(dumps: Callable[[Any], str]) -> Value:
    return optional(Value("{0}", dumps))


TEXT = Value("json_quote({0})", _read_text)
WHOLE = Value("{0}", _read_whole)
NUMBER = Value(
    "CASE {0} WHEN 0.0 THEN '0.0' WHEN 1.0 THEN '1.0' ELSE exactly({0}) END", _read_number
)
FLAG = Value("CASE WHEN {0} THEN 'true' ELSE 'false' END", _read_flag)
TIME = Value(
    "strftime('\"%Y-%m-%dT%H:%M:%S.', {0} / 1000000, 'unixepoch')"
    " || printf('%06dZ\"', {0} % 1000000)",
    _read_time,
)
JSON = _json(json.dumps)
OBJECT = Value("{0}", _read_object)
WORDS = _list(json.dumps)
RECORD = _json(wire.dumps)
RECORDS = _list(wire.dumps)
