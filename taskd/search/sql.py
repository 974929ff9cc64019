"""A part of an SQL statement, with the values that are bound to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any


@dataclass(frozen=True)
class Sql:
    """`text` has a `?` for each of `values`, and stands in parentheses where that matters."""

    text: str
    values: tuple[Any, ...] = ()

    def __and__(self, other: "Sql") -> "Sql":
        return Sql(f"{self.text} AND {other.text}", self.values + other.values)


ALWAYS, NEVER = Sql("1"), Sql("0")


def all_of(parts: Iterable[Sql]) -> Sql:
    found = list(parts)
    return reduce(Sql.__and__, found) if found else ALWAYS


def any_of(parts: Iterable[Sql]) -> Sql:
    found = list(parts)
    if len(found) == 1:
        return found[0]
    values = tuple(value for part in found for value in part.values)
    return Sql(f"({' OR '.join(part.text for part in found)})", values) if found else NEVER
