r"""Texts that are contained, in any case, and patterns with `*` and `%`.

`\*`, `\%` and `_` are ordinary characters.
"""

import re


def like(text: str) -> str:
    """For LIKE: `text` anywhere or, where it has `*` or `%`, from beginning to end."""
    return _join("%", [re.sub(r"[%_\\]", r"\\\g<0>", part) for part in _folded(text)])


def glob(text: str) -> str:
    """The same for GLOB, which knows no escape but a set of one."""
    return _join("*", [re.sub(r"[*?\[]", r"[\g<0>]", part) for part in _folded(text)])


def _folded(text: str) -> list[str]:
    return [part.casefold() for part in _split(text)]


def _join(wildcard: str, parts: list[str]) -> str:
    return wildcard.join(parts if len(parts) > 1 else ["", *parts, ""])


def matches(text: str, wanted: str) -> bool:
    """What LIKE says of `like(wanted)`, and GLOB of `glob(wanted)`."""
    text = text.casefold()
    first, *rest = [part.casefold() for part in _split(wanted)]
    if not rest:
        return first in text
    *middle, last = rest
    if not text.startswith(first):
        return False
    position = len(first)
    for part in middle:
        position = text.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return len(text) - position >= len(last) and text.endswith(last)


def _split(text: str) -> list[str]:
    r"""What stands between the wildcards. `\*` and `\%` are none."""
    parts, position = [""], 0
    while position < len(text):
        if text[position : position + 2] in ("\\*", "\\%"):
            position += 1
        elif text[position] in "*%":
            parts.append("")
            position += 1
            continue
        parts[-1] += text[position]
        position += 1
    return parts
