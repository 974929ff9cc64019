"""The types that an input may have, as JSON Schema.

str                          {"type": "string"}
Secret[str]                  {"type": "string", "format": "secret"}
list[int]                    {"type": "array", "items": {"type": "integer"}}
dict[str, bool]              {"type": "object", "additionalProperties": {"type": "boolean"}}
str | None                   {"anyOf": [{"type": "string"}, {"type": "null"}]}
Literal["a", "b"], an Enum   {"enum": ["a", "b"]}
a dataclass                  {"type": "object", "properties": …, "required": […],
                              "additionalProperties": false}
Any                          {}
"""

import dataclasses
import types
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from taskd.actions.secret import SecretMark
from taskd.model.step import JSON

_NAMES = {
    str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null",
    list: "array", dict: "object",
}  # fmt: skip
INSTEAD = {
    "Path": "str", "PosixPath": "str", "datetime": "str", "date": "str", "bytes": "str",
    "UUID": "str", "Decimal": "str", "timedelta": "float", "tuple": "list", "set": "list",
    "frozenset": "list", "Sequence": "list", "Iterable": "list", "Collection": "list",
    "generator": "list", "Mapping": "dict",
}  # fmt: skip


def is_secret(kind: Any) -> bool:
    return get_origin(kind) is Annotated and any(
        isinstance(mark, SecretMark) for mark in kind.__metadata__
    )


def schema_of_field(kind: Any) -> dict[str, JSON]:
    """The schema of a whole input, which alone may be a secret. Raises TypeError."""
    if not is_secret(kind):
        return schema_of(kind)
    if get_args(kind)[0] is not str:
        raise TypeError("a secret is text: write Secret[str]")
    return {"type": "string", "format": "secret"}


def schema_of(kind: Any, within: tuple[Any, ...] = ()) -> dict[str, JSON]:
    """`within` are the dataclasses that hold it."""
    if kind is Any:
        return {}
    if kind in _NAMES:
        return {"type": _NAMES[kind]}
    if is_secret(kind):
        raise TypeError("a secret is an input of its own: it cannot be part of another type")
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return schema_of(arguments[0], within)
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(argument, within) for argument in arguments]}
    if origin is Literal:
        return {"enum": [_constant(value, kind) for value in arguments]}
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0], within)}
    if origin is dict and arguments[0] is str:
        return {"type": "object", "additionalProperties": schema_of(arguments[1], within)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [_constant(member.value, kind) for member in kind]}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _schema_of_dataclass(kind, within)
    raise TypeError(_refusal(kind, origin))


def plain(value: Any) -> JSON:
    """A value as JSON: enums by value, dataclasses as mappings. Raises TypeError."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"the value {value!r} is nothing that JSON can hold")


def default_of(field: "dataclasses.Field[Any]") -> JSON:
    """The default as JSON; None where there is none."""
    if field.default is not dataclasses.MISSING:
        return plain(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return plain(field.default_factory())
    return None


def is_required(field: "dataclasses.Field[Any]") -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def name_of(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)


def _schema_of_dataclass(kind: type, within: tuple[Any, ...]) -> dict[str, JSON]:
    if kind in within:
        raise TypeError(f"{kind.__name__} holds itself: use dict for what has no fixed depth")
    hints = get_type_hints(kind, include_extras=True)
    members = [field for field in dataclasses.fields(kind) if field.init]
    return {
        "type": "object",
        "properties": {f.name: schema_of(hints[f.name], (*within, kind)) for f in members},
        "required": [field.name for field in members if is_required(field)],
        "additionalProperties": False,
    }


def _constant(value: Any, kind: Any) -> JSON:
    if value is None or type(value) in (str, int, bool) or isinstance(value, str):
        return value
    raise TypeError(f"{name_of(kind)} has the value {value!r}: use text or whole numbers")


def _refusal(kind: Any, origin: Any) -> str:
    if origin is dict:
        return f"{name_of(kind)} is nothing that JSON can hold: write dict[str, …]"
    name = getattr(origin or kind, "__name__", "")
    instead = INSTEAD.get(name, "str, int, float, bool, list, dict or a dataclass")
    return f"{name_of(kind)} is nothing that JSON can hold: use {instead}"
