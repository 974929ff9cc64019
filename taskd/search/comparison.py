"""One condition on one place of a row, as SQL.

What is not set fits no condition, also no `!=`. The store gives SQLite the function `folded`: a
text as `str.casefold` makes it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from taskd.search.fields import Kind
from taskd.search.nodes import Condition, Has
from taskd.search.patterns import glob, like
from taskd.search.sql import ALWAYS, Sql, any_of
from taskd.search.times import Span
from taskd.search.values import as_number

DENIED = {"!=": "=", "!~": "~", "!^": "^"}  # what a negative operator denies

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_IS_NUMBER = "type IN ('integer', 'real')"
JSON_AS_TEXT = "CASE WHEN type IN ('true', 'false') THEN type ELSE CAST(value AS TEXT) END"

Related: TypeAlias = Condition | Has


def compare(part: Related, place: str, folded: str) -> Sql:
    """`folded`: where that is found for a comparison in any case, if there is such a place."""
    if isinstance(part, Has):
        return Sql(f"{place} IS NOT NULL")
    if part.field.kind in (Kind.TIME, Kind.DURATION):
        return _on_scale(part, place)
    if part.operator in ("~", "!~"):
        return _contains(part, folded or f"folded({place})")
    meanings = tuple(value.meaning for value in part.values)
    if part.operator in ("^", "="):
        return is_in(place, meanings)
    if part.operator in ("!^", "!="):
        marks = ", ".join("?" * len(meanings))
        return Sql(f"{place} NOT IN ({marks})", meanings)
    return Sql(f"{place} {part.operator} ?", meanings)


def is_in(place: str, values: tuple[Any, ...]) -> Sql:
    if len(values) == 1:
        return Sql(f"{place} = ?", values)
    return Sql(f"{place} IN ({', '.join('?' * len(values))})", values)


def _contains(part: Condition, place: str) -> Sql:
    """GLOB is quicker; LIKE is for what stands there as it was written, in ASCII."""
    denied = "NOT " if part.operator == "!~" else ""
    text = part.values[0].text
    if place == part.field.sql:
        return Sql(f"{place} {denied}LIKE ? ESCAPE '\\'", (like(text),))
    return Sql(f"{place} {denied}GLOB ?", (glob(text),))


def _on_scale(part: Condition, place: str) -> Sql:
    """Times and durations, in microseconds."""
    meaning = part.values[0].meaning
    if isinstance(meaning, timedelta):
        return Sql(f"{place} {part.operator} ?", (meaning // _MICROSECOND,))
    assert isinstance(meaning, Span)
    begin, end = number_of(meaning.begin), number_of(meaning.end)
    if meaning.instant and part.operator not in ("=", "!="):
        return Sql(f"{place} {part.operator} ?", (number_of(meaning.instant),))
    match part.operator:
        case "=":
            return Sql(f"({place} >= ? AND {place} < ?)", (begin, end))
        case "!=":
            return Sql(f"({place} < ? OR {place} >= ?)", (begin, end))
        case ">" | "<=":
            return Sql(f"{place} {'>=' if part.operator == '>' else '<'} ?", (end,))
        case _:
            return Sql(f"{place} {part.operator} ?", (begin,))


def in_object(part: Related) -> Sql:
    """The value at a key of a JSON object. `null` is not set."""
    test = ALWAYS if isinstance(part, Has) else _json_test(part)
    return Sql(
        f"EXISTS (SELECT 1 FROM json_each({part.field.sql})"
        f" WHERE key = ? AND type <> 'null' AND {test.text})",
        (part.field.key, *test.values),
    )


def _json_test(part: Condition) -> Sql:
    if operator := DENIED.get(part.operator):
        inner = _json_test(Condition(part.field, operator, part.values))
        return Sql(f"NOT {inner.text}", inner.values)
    if part.operator == "~":
        return Sql(f"folded({JSON_AS_TEXT}) GLOB ?", (glob(part.values[0].text),))
    if part.operator in ("=", "^"):
        return any_of([_json_equal(value.text) for value in part.values])
    return Sql(f"({_IS_NUMBER} AND value {part.operator} ?)", (as_number(part.values[0].text),))


def _json_equal(text: str) -> Sql:
    """A number to a number, all else as text."""
    same_text = Sql(f"(NOT {_IS_NUMBER} AND {JSON_AS_TEXT} = ?)", (text,))
    number = as_number(text)
    if number is None:
        return same_text
    return any_of([Sql(f"({_IS_NUMBER} AND value = ?)", (number,)), same_text])


def number_of(time: datetime) -> int:
    """As the store has it: microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND
