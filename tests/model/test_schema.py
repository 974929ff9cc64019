"""Schemas in words."""

import pytest

from taskd.model.schema import expected

NUMBER = {"type": "integer"}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, "JSON"),
        ({"type": "string"}, "text"),
        ({"anyOf": [NUMBER, {"type": "null"}]}, "a whole number or null"),
        ({"enum": ["fast", 2]}, "one of fast, 2"),
        ({"type": "array"}, "a list"),
        ({"type": "array", "items": NUMBER}, "a list, each item a whole number"),
        ({"type": "object"}, "a mapping"),
        (
            {"type": "object", "additionalProperties": NUMBER},
            "a mapping, each value a whole number",
        ),
        (
            {"type": "object", "properties": {"host": {"type": "string"}, "port": NUMBER}}
            | {"required": ["host"], "additionalProperties": False},
            "a mapping with host (text), [port] (a whole number)",
        ),
    ],
)
def test_schema_is_told_in_words(schema, words):
    assert expected(schema) == words
