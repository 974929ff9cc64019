"""The tree of a query, and how it is written again: fully in parentheses, so that it reads one way.

a and b or c d

Every ─┬─ Or ─┬─ And ─┬─ a
       │      │       └─ b
       │      └─ c
       └─ d
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from taskd.search.fields import Field
from taskd.search.values import Value

_PLAIN = re.compile(r"[\w.+:@/%*?$#;'-]+")
_KEYWORDS = ("and", "or", "not")


@dataclass(frozen=True)
class Condition:
    """A list has several values."""

    field: Field
    operator: str
    values: tuple[Value, ...]

    def __str__(self) -> str:
        words = ", ".join(quoted(value.text) for value in self.values)
        listed = f"({words})" if self.operator.endswith("^") else words
        return f"{self.field.name} {self.operator} {listed}"


@dataclass(frozen=True)
class Has:
    field: Field

    def __str__(self) -> str:
        return f"has {self.field.name}"


@dataclass(frozen=True)
class Null:
    field: Field

    def __str__(self) -> str:
        return f"null? {self.field.name}"


@dataclass(frozen=True)
class Text:
    """A word that stands alone."""

    text: str

    def __str__(self) -> str:
        return quoted(self.text, always=True)


@dataclass(frozen=True)
class Not:
    part: "Node"

    def __str__(self) -> str:
        return f"not {_grouped(self.part)}"


@dataclass(frozen=True)
class And:
    """Its conditions on one table of many rows hold for one and the same row."""

    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " and ".join(map(_grouped, self.parts))


@dataclass(frozen=True)
class Or:
    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " or ".join(map(_grouped, self.parts))


@dataclass(frozen=True)
class Every:
    """What stands side by side: each part must hold, for itself. Without parts: always."""

    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " ".join(map(_grouped, self.parts))


Node: TypeAlias = Condition | Has | Null | Text | Not | And | Or | Every


def quoted(text: str, *, always: bool = False) -> str:
    """As a value is written."""
    if not always and _PLAIN.fullmatch(text) and text.lower() not in _KEYWORDS:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _grouped(node: Node) -> str:
    return f"({node})" if isinstance(node, And | Or | Every) else str(node)
