"""Where in the author's file something is declared."""

import ast
import linecache
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from taskd.model.errors import InvalidAction


@dataclass(frozen=True)
class Place:
    """`owner` is the class or function that a message is about."""

    file: str
    line: int
    owner: str

    def refuse(self, text: str) -> InvalidAction:
        """The error to raise; `text` says what is wrong and the remedy."""
        return InvalidAction(f"{self.owner}: {text}", file=self.file, line=self.line)

    def of(self, name: str) -> "Place":
        """The line of the attribute `name` in this class; the class's own where that is unknown."""
        line = next((line for found, line in _attributes(self) if found == name), self.line)
        return replace(self, line=line)

    def within(self, name: str) -> "Place":
        """That of the member `name` of the owner, in the same line."""
        return replace(self, owner=f"{self.owner}.{name}")


def place_of_function(function: Callable[..., Any]) -> Place:
    names = function.__qualname__.rpartition("<locals>.")[2].split(".")
    code = function.__code__
    return Place(code.co_filename, code.co_firstlineno, names[-2 if len(names) > 1 else -1])


def place_of_class(declared: type, frame: FrameType) -> Place:
    name = declared.__qualname__.rpartition("<locals>.")[2]
    return Place(frame.f_code.co_filename, frame.f_lineno, name)


def declaring_frame(declared: type) -> FrameType:
    """The frame that runs the class statement. To be called while it does."""
    frame: FrameType | None = sys._getframe(1)
    while frame and frame.f_globals.get("__name__") != declared.__module__:
        frame = frame.f_back
    return frame or sys._getframe(1)


def _attributes(place: Place) -> Iterator[tuple[str, int]]:
    linecache.checkcache(place.file)
    try:
        tree = ast.parse("".join(linecache.getlines(place.file)))
    except SyntaxError:  # it was edited after it was imported
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == place.owner.rpartition(".")[2]:
            for statement in node.body:
                for name in _names(statement):
                    yield name, statement.lineno


def _names(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
    return []
