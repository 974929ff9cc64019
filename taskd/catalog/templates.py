"""`Back up {site}`: titles and locks with the values of inputs in them.

`{name}` is replaced; `{{` and `}}` stand for braces. There is no attribute access, no format.
"""

import json
import re
from collections.abc import Mapping

from taskd.model.errors import InvalidInput
from taskd.model.lock import Lock, exclusive, parse_lock
from taskd.model.step import JSON

_PART = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}|([{}])")


def placeholders(template: str) -> list[str]:
    """The names in it. Raises InvalidInput on a lone brace."""
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


def fill_lock(template: str, values: Mapping[str, JSON]) -> Lock:
    """The lock that it stands for. It is split first, so no value can change its operation."""
    lock = parse_lock(template)
    return exclusive(fill(lock.resource, values), fill(lock.operation, values))


def _replacement(part: re.Match[str], values: Mapping[str, JSON]) -> str:
    if not part[1]:
        return part[0][0]
    value = values.get(part[1])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
