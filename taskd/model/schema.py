"""The schema of an input (see `taskd.model.definition.Field`) in words."""

from collections.abc import Mapping

from taskd.model.step import JSON

_WORDS = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "null": "null", "array": "a list", "object": "a mapping",
}  # fmt: skip


def expected(schema: Mapping[str, JSON]) -> str:
    """As in `text or null`."""
    if "anyOf" in schema:
        return " or ".join(map(expected, schema["anyOf"]))
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    word = _WORDS.get(schema.get("type", ""), "JSON")
    if items := schema.get("items"):
        return f"{word}, each item {expected(items)}"
    if known := schema.get("properties"):
        required = schema.get("required", ())
        return f"{word} with " + ", ".join(
            f"{key if key in required else f'[{key}]'} ({expected(part)})"
            for key, part in known.items()
        )
    if others := schema.get("additionalProperties"):
        return f"{word}, each value {expected(others)}"
    return word
