"""A query as a condition of SQL on `tasks`.

What is not set matches no condition; but `not` takes it for "does not match", as everybody reads
it. SQL's own third value never gets out of a `not`.
"""

from collections.abc import Iterator

from taskd.search.asker import Asker
from taskd.search.comparison import DENIED, Related, compare, in_object, is_in, number_of
from taskd.search.nodes import And, Condition, Every, Has, Node, Not, Null, Or, Text
from taskd.search.patterns import matches
from taskd.search.sql import ALWAYS, NEVER, Sql, all_of, any_of
from taskd.search.values import Value


def condition(node: Node, asker: Asker) -> Sql:
    """What holds for the tasks that `node` means."""
    return _Compiler(asker).compile(node)


class _Compiler:
    def __init__(self, asker: Asker) -> None:
        self._now = number_of(asker.now)
        self._vocabulary = asker.vocabulary

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
            elif isinstance(part, Condition) and part.operator in DENIED:
                found.append(self._none_of(part))
            else:
                together.setdefault(part.field.table, []).append(part)
        return all_of([*found, *(_some_row(table, rows) for table, rows in together.items())])

    def _of_task(self, part: Related, narrowest: int) -> Sql:
        if part.field.key:
            return in_object(part)
        place = part.field.sql.replace("{now}", str(self._now))
        if 0 < _narrowness(part) < narrowest:  # its index is not to be used
            return compare(part, f"+{place}", part.field.folded)
        return _indexed(part, compare(part, place, part.field.folded))

    def _none_of(self, part: Condition) -> Sql:
        """It has some, and none of them matches."""
        matching = Condition(part.field, DENIED[part.operator], part.values)
        some = _some_row(part.field.table, [Has(part.field)])
        none = _some_row(part.field.table, [matching])
        return some & Sql(f"NOT {none.text}", none.values)

    def _text(self, text: str) -> Sql:
        """In any of the places where one looks first."""
        value, words = Value(text, text), self._vocabulary
        places = [Condition(words.names[name], "~", (value,)) for name in words.texts]
        found = [self.compile(place) for place in places]
        for field in (words.names[name] for name in words.choices):
            if like := [value for value in field.values if matches(value, text)]:
                found.append(is_in(field.sql, tuple(like)))
        if text.isascii() and text.isdigit() and len(text) < 19:
            found.append(Sql(f"{words.table}.id = ?", (int(text),)))
        return any_of(found)


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
    found = compare(part, field.sql, "")
    if field.other:
        found = any_of([found, compare(part, field.other, "")])
    return _indexed(part, found)


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
        return compare(part, "tasks.user", "")
    if part.operator == "~":
        return compare(part, "('user:' || tasks.user)", "")
    users = [v.text.partition(":")[2] for v in part.values if v.text.startswith("user:")]
    return is_in("tasks.user", tuple(users)) if users else NEVER


def _agrees(text: str, operator: str, value: str) -> bool:
    return matches(text, value) if operator == "~" else text == value


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
