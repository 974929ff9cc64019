"""A value as it was written, and what it means for a field: a text, a number, a span of time, …"""

import math
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from taskd.model.errors import InvalidInput
from taskd.model.interval import parse_interval
from taskd.model.suggest import did_you_mean
from taskd.search.asker import Asker
from taskd.search.fields import Field, Kind
from taskd.search.times import LENGTHS, Span, read_time

Meaning: TypeAlias = str | int | float | timedelta | Span

ME = "current_user"
MAX_WHOLE = 2**63 - 1  # what SQLite compares exactly
MAX_PATTERN = 256  # characters
_ORDERS = (">", ">=", "<", "<=")
_LENGTH = re.compile(rf"(\d+(?:\.\d+)?) ?({'|'.join(LENGTHS)})s?", re.ASCII)
_TIMES = '2016-12-01, "2016-12-01 08:15", today, monday, 3d or "3 hours ago"'


@dataclass(frozen=True)
class Value:
    text: str
    meaning: Meaning = field(compare=False)


def read_value(text: str, of: Field, operator: str, asker: Asker) -> Value:
    """Raises ValueError, saying what was expected."""
    if "~" in operator and len(text) > MAX_PATTERN:
        raise ValueError(f"this is longer than {MAX_PATTERN} characters")
    if "~" in operator and not text:
        raise ValueError(f"every {of.name} contains this")
    if of.kind is Kind.JSON and operator in _ORDERS and as_number(text) is None:
        raise ValueError("only numbers have an order")
    return Value(text, _mean(text, of, asker))


def _mean(text: str, of: Field, asker: Asker) -> Meaning:
    if of.me and text.lower() == ME:
        return asker.user if of.me == "name" else asker.uid
    match of.kind:
        case Kind.ONE_OF:
            return _one_of(text, of)
        case Kind.WHOLE:
            return _whole(text, of)
        case Kind.NUMBER:
            return _number(text, of)
        case Kind.TIME:
            return _time(text, asker)
        case Kind.DURATION:
            return read_duration(text)
    return text


def _one_of(text: str, of: Field) -> str:
    word = text.lower()
    if word == "failed" and "error" in of.values:
        return "error"
    if word not in of.values:
        near = did_you_mean(word, of.values)
        raise ValueError(f"{of.name} is one of {', '.join(of.values)}{near}")
    return word


def _whole(text: str, of: Field) -> int:
    if not re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII) or abs(int(text)) > MAX_WHOLE:
        also = f", or {ME}" if of.me else ""
        raise ValueError(f"{of.name} is a whole number{also}")
    return int(text)


def _number(text: str, of: Field) -> float:
    number = as_number(text)
    if number is None:
        raise ValueError(f"{of.name} is a number, as in 0.5")
    return number


def as_number(text: str) -> float | None:
    """The number that `text` is; None where it is none."""
    if not re.fullmatch(r"[+-]?(\d{1,300}(\.\d{1,300})?|\.\d{1,300})(e[+-]?\d{1,3})?", text, re.I):
        return None
    number = float(text)
    return number if text.isascii() and math.isfinite(number) else None


def _time(text: str, asker: Asker) -> Span:
    try:
        return read_time(text, asker)
    except ValueError as error:
        raise ValueError(f"cannot read this as a time: {error}; expected e.g. {_TIMES}") from None


def read_duration(text: str) -> timedelta:
    """`90` (seconds), `2m`, `1h30m`, `"2 minutes"`, `"1 hour 30 minutes"`. Raises ValueError."""
    plain = text.strip().lower()
    words = _LENGTH.findall(plain)
    try:
        if words and not _LENGTH.sub("", plain).strip():
            return sum((float(n) * LENGTHS[unit] for n, unit in words), timedelta())
        return parse_interval(plain)
    except (InvalidInput, OverflowError):
        raise ValueError('expected a length of time, as in 90, 2m or "2 minutes"') from None
