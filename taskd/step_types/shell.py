"""`shell: pg_dump "$site"`: a line, or lines, for /bin/sh.

Inputs and outputs reach it as environment variables, never by text put into the command.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping

from taskd.model.definition import Command
from taskd.model.step import JSON

FIELDS: dict[str, dict[str, JSON]] = {
    "shell": {"type": "string"},
    "cwd": {"type": "string"},
    "env": {"type": "object", "additionalProperties": {"type": "string"}},
}
_FROM_DAEMON = ("PATH", "HOME", "LANG", "TZ")
_VARIABLE = re.compile(r"\$\{?[#!]?([A-Za-z_][A-Za-z0-9_]*)")


def compile_step(values: Mapping[str, JSON]) -> dict[str, object]:
    """`env` is added to what a command gets from the daemon. Raises ValueError."""
    if not values["shell"].strip():
        raise ValueError("it does nothing: write shell: and the command")
    environment = None
    if "env" in values:
        few = {name: os.environ[name] for name in _FROM_DAEMON if name in os.environ}
        environment = few | values["env"]
    command = Command(line=values["shell"], cwd=values.get("cwd"), environment=environment)
    return {"command": command}


def find_needs(values: Mapping[str, JSON], earlier: Iterable[str]) -> tuple[str, ...]:
    """The earlier steps whose output the line uses, as `$dump` or `${dump}`."""
    used = set(_VARIABLE.findall(values["shell"]))
    return tuple(name for name in earlier if name in used)


def find_unset(line: str, known: Iterable[str]) -> list[str]:
    """The lower-case variables in it that it does not speak of otherwise, as where it sets them."""
    rest = _VARIABLE.sub("", line)
    used = dict.fromkeys(filter(str.islower, _VARIABLE.findall(line)))
    return [name for name in used if name not in known and not re.search(rf"\b{name}\b", rest)]


def find_names(_values: Mapping[str, JSON]) -> Iterator[tuple[str, list[str]]]:
    """It has variables, no templates."""
    yield from ()
