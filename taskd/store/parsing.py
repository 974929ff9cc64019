"""Records as rows: JSON is checked and read by msgspec, in a third of the time that Python takes.

It takes no halves of surrogate pairs, which logs and outputs of steps may have, in the names of
files: records with such are read in a slower way.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import (
    DecodeError,
    Meta,
    MsgspecError,
    Raw,
    Struct,
    ValidationError,
    convert,
    defstruct,
)
from msgspec.json import Decoder
from msgspec.structs import astuple

from taskd import quick_json, wire
from taskd.model.errors import InvalidInput, ProtocolError
from taskd.model.lock import Lock
from taskd.model.step import StepError
from taskd.store.values import Fields, Kind, Value

Values: TypeAlias = list[Any]

Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

_LARGE = re.compile(r"[eE]\+?[0-9]{3}|[0-9]{300}")  # perhaps only in a text
# A bracket and what is before it.
_BRACKET = re.compile(r'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+[\[\]{}]', re.DOTALL)
_LONG = 1 << 12  # characters, from which on values take more memory than is to be taken
_YEARS = range(1970, 9999)  # that a clock anywhere can show
_EPOCH, _MICROSECOND = datetime.fromtimestamp(0, UTC), timedelta(microseconds=1)
MOST = 1e15  # that a number can be
NO_TEXT = "half of a surrogate pair is no text"

_NULL = Raw(b"null")
_dumps = partial(json.dumps, allow_nan=False)
_error_decoder, _locks_decoder = Decoder(StepError), Decoder(list[Lock])

_TYPES: dict[Kind, Any] = {
    Kind.WHOLE: Whole,
    Kind.NUMBER: Annotated[float, Meta(ge=0, le=MOST)],
    Kind.SHARE: Annotated[float, Meta(ge=0, le=1.01)],  # sums of parts may be a little more
    Kind.FLAG: bool,
    Kind.TIME: Annotated[datetime, Meta(tz=True)],
    Kind.WORDS: list[str],
}
_PASSED_ON = (Kind.OBJECT, Kind.JSON, Kind.FLOW, Kind.ERROR, Kind.LOCKS)


@dataclass(frozen=True)
class Types:
    """What else msgspec is to read: text, and JSON that is passed on."""

    text: Any
    json: Any
    null: Any  # as such JSON

    def member(self, name: str, value: Value) -> tuple[Any, ...]:
        """Name, type and default."""
        if value.kind in _PASSED_ON:
            return (name, self.json, self.null) if value.optional else (name, self.json)
        if value.kind is Kind.TEXT:
            kind = Literal[value.words] if value.words else self.text
        else:
            kind = _TYPES[value.kind]
        return (name, kind | None, None) if value.optional else (name, kind)


_QUICK = Types(str, Raw, Raw(b"null"))
_PATIENT = Types(Annotated[str, Meta(pattern=r"\A[^\ud800-\udfff]*\Z")], Any, None)


def _time(given: datetime) -> int:
    if given.astimezone(UTC).year not in _YEARS:
        raise ValueError
    return (given - _EPOCH) // _MICROSECOND


def _object(given: Any) -> str:
    text = _json(given)
    if text is None or not text.startswith("{"):
        raise ValueError
    return text


def _json(given: Any, dumps: Callable[[Any], str] = _dumps) -> str | None:
    if given == _NULL or given is None:
        return None
    text = str(given, "utf-8") if type(given) is Raw else dumps(given)
    _check_depth(text)
    if type(given) is Raw and _is_odd(given, text):
        _dumps(json.loads(text))  # a number that nobody can keep
    return text


def _is_odd(given: Raw, text: str) -> bool:
    if len(text) > _LONG:
        return bool(_LARGE.search(text))
    return quick_json.read(given) is quick_json.ODD


def _check_depth(text: str) -> None:
    """What nobody could show or write again."""
    if len(text) <= wire.MAX_DEPTH or text.count("[") + text.count("{") <= wire.MAX_DEPTH:
        return
    depth = place = 0
    while bracket := _BRACKET.match(text, place):
        place = bracket.end()
        depth += 1 if text[place - 1] in "[{" else -1
        if depth > wire.MAX_DEPTH:
            raise wire.too_deep()


def _flow(given: Any) -> str | None:
    text = _json(given)
    if text is not None and not _is_flow(quick_json.loads(text.encode())):
        raise ValueError
    return text


def _is_flow(given: Any) -> bool:
    if isinstance(given, list) and given and given[0] in ("sequence", "concurrence"):
        return all(map(_is_flow, given[1:]))
    return isinstance(given, str)


def _error(given: Any) -> str | None:
    text = _json(given, wire.dumps)
    if text is not None:
        _error_decoder.decode(text)
    return text


def _locks(given: Any) -> str | None:
    text = _json(given, wire.dumps)
    return text if _locks_decoder.decode(text or "null") else None


# What the store has of them, where that is something else; ValueError or MsgspecError.
_STORED: dict[Kind, Callable[[Any], Any]] = {
    Kind.FLAG: int,
    Kind.TIME: _time,
    Kind.OBJECT: _object,
    Kind.JSON: _json,
    Kind.FLOW: _flow,
    Kind.ERROR: _error,
    Kind.LOCKS: _locks,
    Kind.WORDS: lambda given: json.dumps(given) if given else None,
}


class Parts:
    """How the parts of a record that have these fields are read."""

    def __init__(self, fields: Fields, name: str = "") -> None:
        """`name`: of the member that has them; those of the record itself have none."""
        self.fields = fields
        self._name = name
        self._count = len(fields.names)
        self._stored = [
            (place, _STORED[value.kind])
            for place, value in enumerate(fields.values.values())
            if value.kind in _STORED
        ]

    def members(self, types: Types) -> list[tuple[Any, ...]]:
        return [types.member(name, value) for name, value in self.fields.values.items()]

    def struct(self, types: Types) -> Any:
        return defstruct("Part", self.members(types), kw_only=True, gc=False)

    def several(self, types: Types) -> Any:
        return list.__class_getitem__(self.struct(types))

    def row(self, part: Struct) -> Values:
        """What the columns get. Raises InvalidInput."""
        row = list(astuple(part)[: self._count])
        for place, stored in self._stored:
            if (value := row[place]) is not None:
                try:
                    row[place] = stored(value)
                except (ValueError, MsgspecError, RecursionError):
                    raise InvalidInput(self._refusal(place, value)) from None
        return row

    def _refusal(self, place: int, value: Any) -> str:
        shown = str(value, "utf-8") if type(value) is Raw else str(value)
        told = f"{self.fields.names[place]}: it cannot be {shown[:50]}"
        return f"{self._name}.{told}" if self._name else told


class Parser:
    """Reads a record that has the fields of `top`, and members of its own."""

    def __init__(self, top: Parts, others: Callable[[Types], Sequence[tuple[Any, ...]]]) -> None:
        """`others`: name, type and default of each."""
        quick, self._patient = (
            defstruct("Record", [*top.members(types), *others(types)], kw_only=True, gc=False)
            for types in (_QUICK, _PATIENT)
        )
        self._quick = Decoder(quick)

    def parse(self, line: bytes) -> Any:
        """Raises InvalidInput."""
        try:
            return self._quick.decode(line)
        except ValidationError as error:
            raise InvalidInput(_told(error)) from None
        except RecursionError:
            raise wire.too_deep() from None
        except DecodeError:
            return self._parse_patiently(line)

    def _parse_patiently(self, line: bytes) -> Any:
        try:
            return convert(wire.loads(line), self._patient)
        except ProtocolError:
            raise InvalidInput("it is no JSON, or cut off") from None
        except UnicodeEncodeError:
            raise InvalidInput(NO_TEXT) from None
        except ValidationError as error:
            raise InvalidInput(_told(error)) from None


def _told(error: ValidationError) -> str:
    """As in: steps[0].number: expected `int`, got `str`"""
    what, _, place = str(error).partition(" - at `$.")
    if "regex" in what:
        what = NO_TEXT
    return ": ".join(filter(None, (place.rstrip("`"), what[0].lower() + what[1:])))
