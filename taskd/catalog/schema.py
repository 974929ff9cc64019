"""Does a value fit a schema (the subset of JSON Schema in `taskd.model.definition.Field`)?"""

import json
from collections.abc import Iterable, Mapping
from math import isfinite

from taskd.model.schema import expected
from taskd.model.step import JSON
from taskd.model.suggest import did_you_mean


def find_problem(value: JSON, schema: Mapping[str, JSON], name: str) -> str | None:
    """What is wrong with it, as in `'count' must be a whole number, not 'x'`; None: it fits."""
    if "anyOf" in schema:
        problems = [find_problem(value, part, name) for part in schema["anyOf"]]
        return None if None in problems else _mismatch(value, schema, name)
    if "enum" in schema:
        fits = any(value == known and type(value) is type(known) for known in schema["enum"])
        return None if fits else _mismatch(value, schema, name)
    kind = schema.get("type")
    if kind is not None and not _is(value, kind):
        return _mismatch(value, schema, name)
    if kind == "array" and "items" in schema:
        return _first(
            find_problem(item, schema["items"], f"{name}[{i}]") for i, item in enumerate(value)
        )
    if kind == "object":
        return _find_problem_inside(value, schema, name)
    return None


def _is(value: JSON, kind: str) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
    return value is None


def _finite(value: float) -> bool:
    return isinstance(value, int) or isfinite(value)


def _find_problem_inside(value: JSON, schema: Mapping[str, JSON], name: str) -> str | None:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for key in schema.get("required", ()):
        if key not in value:
            return f"'{name}.{key}' is missing"
    for key, item in value.items():
        if not isinstance(key, str):
            return f"{name!r} has the key {key!r}, which is no text"
        if key not in known and others is False:
            return f"'{name}.{key}' is unknown{did_you_mean(key, known)}"
        part = known.get(key, others)
        if isinstance(part, dict) and (problem := find_problem(item, part, f"{name}.{key}")):
            return problem
    return None


def _mismatch(value: JSON, schema: Mapping[str, JSON], name: str) -> str:
    shown = "" if schema.get("format") == "secret" else f", not {_short(value)}"
    return f"{name!r} must be {expected(schema)}{shown}"


def _short(value: JSON) -> str:
    text = (
        repr(value)
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, default=repr)
    )
    return text if len(text) <= 80 else text[:77] + "…"


def _first(problems: Iterable[str | None]) -> str | None:
    return next((problem for problem in problems if problem), None)
