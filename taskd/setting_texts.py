"""How the text of a setting is read, as it stands in the file, in the environment or the store.

Each raises InvalidInput.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from taskd.config_file import Text, one_value
from taskd.model.errors import InvalidInput
from taskd.model.interval import parse_interval
from taskd.model.size import parse_size

MOST = 10_000  # of what is counted, as slots
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def truth(text: Text) -> bool:
    try:
        return _TRUTH[one_value(text).lower()]
    except KeyError:
        raise InvalidInput(f"cannot read {text!r} as true or false") from None


def length(text: Text) -> timedelta:
    return parse_interval(one_value(text))


def bytes(text: Text) -> int:
    return parse_size(one_value(text))


def number(least: int) -> Callable[[Text], int]:
    def read(text: Text) -> int:
        word = one_value(text)
        is_whole = word.isascii() and word.isdecimal() and len(word) <= len(str(MOST))
        if not (is_whole and least <= int(word) <= MOST):
            raise InvalidInput(f"cannot read {text!r} as a whole number from {least} to {MOST}")
        return int(word)

    return read


def choice(*words: str) -> Callable[[Text], str]:
    def read(text: Text) -> str:
        if text not in words:
            raise InvalidInput(f"{text!r} is none of {', '.join(words)}")
        return one_value(text)

    return read


def folders(text: Text) -> tuple[Path, ...]:
    words = text if isinstance(text, list) else one_value(text).split(":")
    return tuple(Path(word).expanduser() for word in words if word)


def slots(text: Text) -> dict[str, int]:
    """By label: `{backup.site: 2, notify: 1}`, or in one line `backup.site=2,notify=1`."""
    pairs = list(text.items()) if isinstance(text, dict) else list(_pairs(one_value(text)))
    slots: dict[str, int] = {}
    for label, count in pairs:
        if label in slots:
            raise InvalidInput(f"{label!r} stands there twice")
        try:
            slots[label] = number(1)(count)
        except InvalidInput as error:
            raise InvalidInput(f"{label!r}: {error.message}") from None
    return slots


def searches(text: Text) -> dict[str, str]:
    """By name; in one line as JSON: `{"stuck": "state = paused"}`."""
    searches = _json(text) if isinstance(text, str) and text else text or {}
    if not isinstance(searches, dict):
        raise InvalidInput("expected a mapping of names to queries")
    for name, query in searches.items():
        if not (re.fullmatch(r"[\w-]+", name) and isinstance(query, str) and query.strip()):
            raise InvalidInput(f"{name!r}: expected letters, digits, _ or -, and a query")
    return searches


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    for word in filter(None, map(str.strip, line.split(","))):
        name, equals, value = map(str.strip, word.partition("="))
        if not name or not equals:
            raise InvalidInput(f"cannot read {word!r}: expected label=number")
        yield name, value
