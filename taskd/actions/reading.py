"""Typed values from JSON: enums, dataclasses and lists of them. The rest is JSON already."""

import dataclasses
import types
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from taskd.model.step import JSON

Reader: TypeAlias = Callable[[JSON], Any]


def reader_of(kind: Any) -> Reader | None:
    """What makes a `kind` of its JSON; None where JSON is the value."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return reader_of(arguments[0])
    if origin in (Union, types.UnionType):
        return _union_reader(arguments)
    if origin is list and (item := reader_of(arguments[0])):
        return lambda value: [item(part) for part in value]
    if origin is dict and (entry := reader_of(arguments[1])):
        return lambda value: {key: entry(part) for key, part in value.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _dataclass_reader(kind)
    return None


def _dataclass_reader(kind: type) -> Reader:
    hints = get_type_hints(kind, include_extras=True)
    readers = {field.name: reader_of(hints[field.name]) for field in dataclasses.fields(kind)}

    def read(value: JSON) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"{kind.__name__} is made from a mapping, not from {value!r}")
        return kind(**{k: reader(v) if (reader := readers[k]) else v for k, v in value.items()})

    return read


def _union_reader(arguments: tuple[Any, ...]) -> Reader | None:
    readers = [reader for argument in arguments if (reader := reader_of(argument))]
    if not readers:
        return None

    def read(value: JSON) -> Any:
        if value is None:
            return None
        for reader in readers:
            try:
                return reader(value)
            except (TypeError, ValueError, KeyError):
                continue
        return value

    return read
