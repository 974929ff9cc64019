"""Inputs as people type them, `KEY=VALUE`, read by the type of the field."""

import json
import re
from collections.abc import Mapping
from typing import NoReturn

from taskd.model.step import JSON

_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def read_word(text: str, schema: Mapping[str, JSON]) -> JSON:
    """The value; `text` itself where it cannot be read: the check of the schema says why."""
    if "anyOf" in schema:
        return _read_one_of(text, schema["anyOf"])
    if "enum" in schema:
        return next((value for value in schema["enum"] if _written(value) == text), text)
    match schema.get("type"):
        case "string":
            return text
        case "integer":
            return int(text) if _INTEGER.fullmatch(text) else text
        case "number":
            return _read_number(text)
        case "boolean":
            return _BOOLEANS.get(text.lower(), text)
        case "null":
            return None if text == "null" else text
    return _read_json(text)


def _written(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _read_number(text: str) -> JSON:
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _read_json(text: str) -> JSON:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text


def _read_one_of(text: str, schemas: list[dict[str, JSON]]) -> JSON:
    """Plain text is what fits anything, so it comes last."""
    for schema in sorted(schemas, key=lambda schema: schema.get("type") == "string"):
        value = read_word(text, schema)
        if value is not text:
            return value
    return text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
