"""The section `notify` of the configuration: who is told what a task has come to.

notify:
  - {on: [paused, error], command: "mail -s taskd ops"}      # the task as JSON on stdin
  - {on: [long_running], mail: ops@example.org}              # by sendmail
  - {on: [paused], webhook: "https://example.org/hook"}      # POST of the JSON
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from taskd.config_file import REMEDY, Given, GivenRule, Text, guess, one_value, read_rules
from taskd.model.errors import InvalidInput, StoreError

T = TypeVar("T")

# Each with what is said of a task then.
EVENTS = {
    "paused": "is paused",
    "error": "ended with error",
    "warning": "ended with warning",
    "success": "ended with success",
    "cancelled": "was cancelled",
    "long_running": "has not stopped for a long time",
    "skipped": "keeps the next run of its recurring logic from beginning",
}

_ADDRESS = r"\w[\w.+=-]*(@[\w.-]+)?"  # no word of a header, and no option of a program
_ADDRESSES = re.compile(rf"{_ADDRESS}(\s*,\s*{_ADDRESS})*", re.ASCII)


@dataclass(frozen=True)
class Rule:
    """On which events whom to tell, and in which way: by `command`, `mail` or `webhook`."""

    on: frozenset[str]
    way: str
    target: str
    where: str = field(compare=False)


def load(path: Path) -> tuple[Rule, ...]:
    """The rules of the file. Raises StoreError, which names all that is wrong and where."""
    rules: list[Rule] = []
    problems: list[str] = []
    for given in read_rules(path, "notify"):
        try:
            rules.append(_rule(given))
        except InvalidInput as error:
            problems.append(error.message)
    if problems:
        raise StoreError("\n".join(problems), hint=REMEDY)
    return tuple(rules)


def _rule(given: GivenRule) -> Rule:
    for name, value in given.values.items():
        if name not in _KEYS:
            raise InvalidInput(f"{value.where}: unknown key {name!r}{guess(name, _KEYS)}")
    ways = [name for name in _WAYS if name in given.values]
    if len(ways) != 1:
        raise InvalidInput(f"{given.where}: expected one of {', '.join(_WAYS)}")
    if "on" not in given.values:
        raise InvalidInput(f"{given.where}: expected on, a list of events")
    return Rule(
        on=_read("on", given.values["on"], _events),
        way=ways[0],
        target=_read(ways[0], given.values[ways[0]], _WAYS[ways[0]]),
        where=given.where,
    )


def _read(name: str, given: Given, read: Callable[[Text], T]) -> T:
    try:
        return read(given.value)
    except InvalidInput as error:
        raise InvalidInput(f"{given.where}: {name}: {error.message}") from None


def _events(text: Text) -> frozenset[str]:
    if not isinstance(text, list) or not text:
        raise InvalidInput("expected a list of events, as in [paused, error]")
    for event in text:
        if event not in EVENTS:
            raise InvalidInput(f"unknown event {event!r}{guess(event, EVENTS)}")
    return frozenset(text)


def _command(text: Text) -> str:
    line = one_value(text)
    if not line.strip() or "\0" in line:
        raise InvalidInput("expected a line for /bin/sh")
    return line


def _addresses(text: Text) -> str:
    line = one_value(text).strip()
    if not _ADDRESSES.fullmatch(line):
        raise InvalidInput(f"cannot read {line!r}: expected addresses with commas between them")
    return line


def _url(text: Text) -> str:
    """What it says of a wrong one does not show it: it may hold a password."""
    url = one_value(text)
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named or parts.scheme not in ("http", "https") or not re.fullmatch("[!-~]+", url):
        raise InvalidInput("expected a URL that begins with https:// or http://")
    if parts.username is not None:
        raise InvalidInput("a URL with a user is not understood: put a token in its path")
    return url


_WAYS: dict[str, Callable[[Text], str]] = {
    "command": _command,
    "mail": _addresses,
    "webhook": _url,
}
_KEYS = ("on", *_WAYS)
