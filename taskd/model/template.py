"""`Back up {site}`: text with the values of inputs and outputs in it.

`{name}` is replaced; `{{` and `}}` stand for braces. There is no attribute access, no format.
"""

import json
import re
from collections.abc import Mapping

from taskd.model.errors import InvalidInput
from taskd.model.lock import Lock, exclusive, parse_lock
from taskd.model.step import JSON

_PART = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}|([{}])")


def placeholders(template: JSON) -> list[str]:
    """The names in it, or in the texts that it holds. Raises InvalidInput on a lone brace."""
    if isinstance(template, list | dict):
        parts = template.values() if isinstance(template, dict) else template
        return [name for part in parts for name in placeholders(part)]
    if not isinstance(template, str):
        return []
    for part in _PART.finditer(template):
        if part[2]:
            raise InvalidInput(
                f"cannot read {template!r}: a lone {part[2]!r}; write {{name}} for an input, "
                f"{part[2] * 2} for a brace"
            )
    return [part[1] for part in _PART.finditer(template) if part[1]]


def fill(template: str, values: Mapping[str, JSON]) -> str:
    """The text with the values in it: text as it is, anything else as JSON."""
    if "{" not in template and "}" not in template:
        return template
    return _PART.sub(lambda part: _replacement(part, values), template)


def fill_value(template: JSON, values: Mapping[str, JSON]) -> JSON:
    """JSON with the values in the texts that it holds; `"{name}"` alone is the value as it is."""
    if isinstance(template, dict):
        return {key: fill_value(part, values) for key, part in template.items()}
    if isinstance(template, list):
        return [fill_value(part, values) for part in template]
    if not isinstance(template, str):
        return template
    alone = _PART.fullmatch(template)
    return values.get(alone[1]) if alone and alone[1] else fill(template, values)


def fill_lock(template: str, values: Mapping[str, JSON]) -> Lock:
    """The lock that it stands for. It is split first, so no value can change its operation."""
    lock = parse_lock(template)
    return exclusive(fill(lock.resource, values), fill(lock.operation, values))


def _replacement(part: re.Match[str], values: Mapping[str, JSON]) -> str:
    if not part[1]:
        return part[0][0]
    value = values.get(part[1])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
