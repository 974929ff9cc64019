"""A query as a condition of SQL on `tasks`.

What is not set matches no condition, also no `!=`; but `not` takes it for "does not match", as
everybody reads it. SQL's own third value never gets out of a `not`.

The store gives SQLite the function `folded`: a text as `str.casefold` makes it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any, TypeAlias

from taskd.search.asker import Asker
from taskd.search.fields import FIELDS, Kind
from taskd.search.nodes import And, Condition, Every, Has, Node, Not, Null, Or, Text
from taskd.search.times import Span
from taskd.search.values import Value, as_number

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLAIN = {"!=": "=", "!~": "~", "!^": "^"}  # what a negative operator denies
_IS_NUMBER = "type IN ('integer', 'real')"
JSON_AS_TEXT = "CASE WHEN type IN ('true', 'false') THEN type ELSE CAST(value AS TEXT) END"

Related: TypeAlias = Condition | Has


@dataclass(frozen=True)
class Sql:
    """`text` has a `?` for each of `values`, and stands in parentheses where that matters."""

    text: str
    values: tuple[Any, ...] = ()

    def __and__(self, other: "Sql") -> "Sql":
        return Sql(f"{self.text} AND {other.text}", self.values + other.values)


ALWAYS, NEVER = Sql("1"), Sql("0")


def condition(node: Node, asker: Asker) -> Sql:
    """What holds for the tasks that `node` means."""
    return _Compiler(asker).compile(node)


class _Compiler:
    def __init__(self, asker: Asker) -> None:
        self._now = _number(asker.now)

    def compile(self, node: Node, narrowest: int = 0) -> Sql:
        """`narrowest`: of the indexes that answer what stands beside it."""
        match node:
            case Every(parts):
                narrowest = max([narrowest, *map(_narrowness, parts)])
                return all_of([self.compile(part, narrowest) for part in parts])
            case And(parts):
                return self._chain(parts, narrowest)
            case Or(parts):
                return any_of([self.compile(part) for part in parts])
            case Not(part):
                inner = self.compile(part)
                return Sql(f"({inner.text}) IS NOT 1", inner.values)
            case Text(text):
                return self._text(text)
            case Null(field):
                inner = self.compile(Has(field))
                return Sql(f"NOT ({inner.text})", inner.values)
            case Condition() | Has():
                return self._chain((node,), narrowest)

    def _chain(self, parts: tuple[Node, ...], narrowest: int) -> Sql:
        """Conditions on one table of many rows hold for one and the same row."""
        together: dict[str, list[Related]] = {}
        narrowest = max([narrowest, *map(_narrowness, parts)])
        found: list[Sql] = []
        for part in parts:
            if not isinstance(part, Condition | Has):
                found.append(self.compile(part, narrowest))
            elif not part.field.table:
                found.append(self._of_task(part, narrowest))
            elif isinstance(part, Condition) and part.operator in _PLAIN:
                found.append(self._none_of(part))
            else:
                together.setdefault(part.field.table, []).append(part)
        return all_of([*found, *(_some_row(table, rows) for table, rows in together.items())])

    def _of_task(self, part: Related, narrowest: int) -> Sql:
        if part.field.key:
            return _in_object(part)
        place = part.field.sql.replace("{now}", str(self._now))
        if 0 < _narrowness(part) < narrowest:  # its index is not to be used
            return _test(part, f"+{place}", part.field.folded)
        return _indexed(part, _test(part, place, part.field.folded))

    def _none_of(self, part: Condition) -> Sql:
        """It has some, and none of them matches."""
        matching = Condition(part.field, _PLAIN[part.operator], part.values)
        some = _some_row(part.field.table, [Has(part.field)])
        none = _some_row(part.field.table, [matching])
        return some & Sql(f"NOT {none.text}", none.values)

    def _text(self, text: str) -> Sql:
        """In any of the places where one looks first."""
        value = Value(text, text)
        places = [Condition(field, "~", (value,)) for field in FIELDS if field.name in _LOOKED_AT]
        found = [self.compile(place) for place in places]
        for field in (field for field in FIELDS if field.name in ("state", "result")):
            if like := [value for value in field.values if matches(value, text)]:
                found.append(_is_in(field.sql, tuple(like)))
        if text.isascii() and text.isdigit() and len(text) < 19:
            found.append(Sql("tasks.id = ?", (int(text),)))
        return any_of(found)


_LOOKED_AT = ("name", "label", "error")


# One row of many


def _some_row(table: str, parts: list[Related]) -> Sql:
    test = all_of([*map(_row_test, parts), *_whole_resource(parts)])
    found = Sql(f"tasks.id IN (SELECT task_id FROM {table} WHERE {test.text})", test.values)
    if table == "links" and (own := _own_link(parts)) is not NEVER:
        return any_of([found, own])
    return found


def _whole_resource(parts: list[Related]) -> Iterator[Sql]:
    """Where its type and its id are given, an index finds it by both."""
    given = {
        part.field.name: part.values[0].text
        for part in parts
        if isinstance(part, Condition) and part.operator == "="
    }
    for name in ("resource", "locked_resource"):
        if f"{name}_type" in given and f"{name}_id" in given:
            yield Sql("resource = ?", (f"{given[f'{name}_type']}:{given[f'{name}_id']}",))


def _row_test(part: Related) -> Sql:
    field = part.field
    if isinstance(part, Has) and field.few and not field.few.values:
        return Sql(field.few.condition)
    test = _test(part, field.sql, "")
    if field.other:
        test = any_of([test, _test(part, field.other, "")])
    return _indexed(part, test)


def _own_link(parts: list[Related]) -> Sql:
    """Every task has a link to `user:NAME`, which is no row."""
    tests = [_own_test(part) for part in parts]
    return NEVER if NEVER in tests else all_of(tests)


def _own_test(part: Related) -> Sql:
    if isinstance(part, Has):
        return ALWAYS
    if part.field.name == "resource_type":
        return ALWAYS if any(_agrees("user", part.operator, v.text) for v in part.values) else NEVER
    if part.field.name == "resource_id":
        return _test(part, "tasks.user", "")
    if part.operator == "~":
        return _test(part, "('user:' || tasks.user)", "")
    users = [v.text.partition(":")[2] for v in part.values if v.text.startswith("user:")]
    return _is_in("tasks.user", tuple(users)) if users else NEVER


def _agrees(text: str, operator: str, value: str) -> bool:
    return matches(text, value) if operator == "~" else text == value


# One value


def _test(part: Related, place: str, folded: str) -> Sql:
    """`folded`: where that is found for a comparison in any case, if there is such a place."""
    if isinstance(part, Has):
        return Sql(f"{place} IS NOT NULL")
    if part.field.kind in (Kind.TIME, Kind.DURATION):
        return _on_scale(part, place)
    if part.operator in ("~", "!~"):
        return _like(part, folded or f"folded({place})")
    meanings = tuple(value.meaning for value in part.values)
    if part.operator in ("^", "="):
        return _is_in(place, meanings)
    if part.operator in ("!^", "!="):
        marks = ", ".join("?" * len(meanings))
        return Sql(f"{place} NOT IN ({marks})", meanings)
    return Sql(f"{place} {part.operator} ?", meanings)


def _is_in(place: str, values: tuple[Any, ...]) -> Sql:
    if len(values) == 1:
        return Sql(f"{place} = ?", values)
    return Sql(f"{place} IN ({', '.join('?' * len(values))})", values)


def _like(part: Condition, place: str) -> Sql:
    sign = "NOT LIKE" if part.operator == "!~" else "LIKE"
    return Sql(f"{place} {sign} ? ESCAPE '\\'", (pattern(part.values[0].text),))


def _on_scale(part: Condition, place: str) -> Sql:
    """Times and durations, in microseconds."""
    meaning = part.values[0].meaning
    if isinstance(meaning, timedelta):
        return Sql(f"{place} {part.operator} ?", (meaning // _MICROSECOND,))
    assert isinstance(meaning, Span)
    begin, end = _number(meaning.begin), _number(meaning.end)
    if meaning.instant and part.operator not in ("=", "!="):
        return Sql(f"{place} {part.operator} ?", (_number(meaning.instant),))
    match part.operator:
        case "=":
            return Sql(f"({place} >= ? AND {place} < ?)", (begin, end))
        case "!=":
            return Sql(f"({place} < ? OR {place} >= ?)", (begin, end))
        case ">" | "<=":
            return Sql(f"{place} {'>=' if part.operator == '>' else '<'} ?", (end,))
        case _:
            return Sql(f"{place} {part.operator} ?", (begin,))


def _in_object(part: Related) -> Sql:
    """The value at a key of a JSON object. `null` is not set."""
    test = ALWAYS if isinstance(part, Has) else _json_test(part)
    return Sql(
        f"EXISTS (SELECT 1 FROM json_each({part.field.sql})"
        f" WHERE key = ? AND type <> 'null' AND {test.text})",
        (part.field.key, *test.values),
    )


def _json_test(part: Condition) -> Sql:
    if operator := _PLAIN.get(part.operator):
        inner = _json_test(Condition(part.field, operator, part.values))
        return Sql(f"NOT {inner.text}", inner.values)
    if part.operator == "~":
        return Sql(f"folded({JSON_AS_TEXT}) LIKE ? ESCAPE '\\'", (pattern(part.values[0].text),))
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


# Indexes of few rows


def _narrowness(part: Node) -> int:
    """Of an index that answers it; 0 where there is none."""
    if isinstance(part, And | Every):
        return max(map(_narrowness, part.parts), default=0)
    if isinstance(part, Condition) and part.operator in ("=", "^") and _are_few(part):
        return part.field.narrow
    return 0


def _indexed(part: Related, test: Sql) -> Sql:
    """With what lets SQLite use an index that has only what is asked for."""
    few = part.field.few
    return (
        Sql(f"({few.condition} AND {test.text})", test.values) if few and _are_few(part) else test
    )


def _are_few(part: Related) -> bool:
    """All that it asks for is in the index of its field."""
    few = part.field.few
    if few is None or not few.values:
        return True
    if isinstance(part, Has) or part.operator not in ("=", "^"):
        return False
    return all(value.meaning in few.values for value in part.values)


# Patterns


def pattern(text: str) -> str:
    """For LIKE: `text` anywhere or, where it has `*` or `%`, from beginning to end."""
    parts = ["".join(map(_literal, part)) for part in _split(text)]
    return "%".join(parts) if len(parts) > 1 else f"%{parts[0]}%"


def matches(text: str, wanted: str) -> bool:
    """What LIKE says of `pattern(wanted)`."""
    text = text.casefold()
    first, *rest = [part.casefold() for part in _split(wanted)]
    if not rest:
        return first in text
    *middle, last = rest
    if not text.startswith(first):
        return False
    position = len(first)
    for part in middle:
        position = text.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return len(text) - position >= len(last) and text.endswith(last)


def _split(text: str) -> list[str]:
    r"""What stands between the wildcards. `\*` and `\%` are none."""
    parts, position = [""], 0
    while position < len(text):
        if text[position : position + 2] in ("\\*", "\\%"):
            position += 1
        elif text[position] in "*%":
            parts.append("")
            position += 1
            continue
        parts[-1] += text[position]
        position += 1
    return parts


def _literal(character: str) -> str:
    folded = character.casefold()
    return f"\\{folded}" if folded in ("%", "_", "\\") else folded


# Several


def all_of(parts: Iterable[Sql]) -> Sql:
    found = list(parts)
    return reduce(Sql.__and__, found) if found else ALWAYS


def any_of(parts: Iterable[Sql]) -> Sql:
    found = list(parts)
    if len(found) == 1:
        return found[0]
    values = tuple(value for part in found for value in part.values)
    return Sql(f"({' OR '.join(part.text for part in found)})", values) if found else NEVER


def _number(time: datetime) -> int:
    """As the store has it: microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND
