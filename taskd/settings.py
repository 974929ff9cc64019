"""Every setting: one field with its default, how its text is read, and help.

settings:
  cancel_grace: 5s          # in the configuration file
TASKD_CANCEL_GRACE=5s       # in the environment, which goes before the file
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from taskd.config_file import REMEDY, Given, Text, one_value, read_settings
from taskd.model.errors import InvalidInput, StoreError
from taskd.model.interval import parse_interval
from taskd.model.size import parse_size

_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _truth(text: Text) -> bool:
    try:
        return _TRUTH[one_value(text).lower()]
    except KeyError:
        raise InvalidInput(f"cannot read {text!r} as true or false") from None


def _length(text: Text) -> timedelta:
    return parse_interval(one_value(text))


def _bytes(text: Text) -> int:
    return parse_size(one_value(text))


def _number(least: int) -> Callable[[Text], int]:
    def read(text: Text) -> int:
        word = one_value(text)
        if not (word.isascii() and word.isdecimal() and int(word) >= least):
            raise InvalidInput(f"cannot read {text!r} as a whole number from {least} on")
        return int(word)

    return read


def _choice(*words: str) -> Callable[[Text], str]:
    def read(text: Text) -> str:
        if text not in words:
            raise InvalidInput(f"{text!r} is none of {', '.join(words)}")
        return one_value(text)

    return read


def _folders(text: Text) -> tuple[Path, ...]:
    words = text if isinstance(text, list) else one_value(text).split(":")
    return tuple(Path(word).expanduser() for word in words if word)


def _slots(text: Text) -> dict[str, int]:
    """By label: `{backup.site: 2, notify: 1}`, or in one line `backup.site=2,notify=1`."""
    pairs = list(text.items()) if isinstance(text, dict) else list(_pairs(one_value(text)))
    slots: dict[str, int] = {}
    for label, number in pairs:
        if label in slots:
            raise InvalidInput(f"{label!r} stands there twice")
        try:
            slots[label] = _number(1)(number)
        except InvalidInput as error:
            raise InvalidInput(f"{label!r}: {error.message}") from None
    return slots


def _searches(text: Text) -> dict[str, str]:
    if not text:
        return {}
    if not isinstance(text, dict):
        raise InvalidInput("expected a mapping of names to queries")
    for name, query in text.items():
        if not re.fullmatch(r"[\w-]+", name) or not query.strip():
            raise InvalidInput(f"{name!r}: expected letters, digits, _ or -, and a query")
    return text


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    for word in filter(None, map(str.strip, line.split(","))):
        name, equals, value = map(str.strip, word.partition("="))
        if not name or not equals:
            raise InvalidInput(f"cannot read {word!r}: expected label=number")
        yield name, value


def _setting(default: Text, read: Callable[[Text], Any], help: str) -> Any:
    """A field whose default, too, is written as people write it."""
    return field(
        default_factory=lambda: read(default),
        metadata={"default": default, "read": read, "help": help},
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    allow_dangerous_actions: bool = _setting(
        "false", _truth, "allow unlock and force unlock, which end tasks that hold locks"
    )
    executor_slots: int = _setting("4", _number(1), "how many steps run at the same time")
    action_slots: dict[str, int] = _setting(
        "", _slots, "how many of them steps of one action may have, by label, e.g. backup.site=2"
    )
    action_paths: tuple[Path, ...] = _setting(
        "", _folders, "more folders with actions; in the environment with ':' between them"
    )
    cancel_grace: timedelta = _setting(
        "10s", _length, "how long a cancelled step may go on before it is killed"
    )
    stop_grace: timedelta = _setting(
        "60s", _length, "how long `taskd stop --wait` waits for running steps"
    )
    log_limit: int = _setting(
        "64 MiB", _bytes, "how much output of a step is kept, e.g. 64 MiB; the rest is dropped"
    )
    searches: dict[str, str] = _setting(
        "", _searches, "your own searches by name, e.g. stuck: state = paused; used as @stuck"
    )
    large_wal: int = _setting(
        "256 MiB", _bytes, "how large the store's WAL may become until the log tells of it"
    )
    long_running_after: timedelta = _setting(
        "2d", _length, "when a task that does not stop counts as long-running"
    )
    host_idle: timedelta = _setting(
        "60s", _length, "how long a process for Python steps waits for the next one"
    )
    durability: str = _setting(
        "full",
        _choice("full", "normal"),
        "full: what was answered survives a power cut; normal: faster, it survives a crash only",
    )
    enable_console: bool = _setting("false", _truth, "serve the web console")
    console_require_auth: bool = _setting(
        "true", _truth, "ask users of the web console who they are"
    )
    proxy_action_retry_count: int = _setting(
        "4", _number(0), "how often a remote executor that does not answer is tried again"
    )
    proxy_action_retry_interval: timedelta = _setting(
        "15s", _length, "how long to wait between these tries"
    )
    proxy_action_start_timeout: timedelta = _setting(
        "60s", _length, "how long a remote executor may take to begin a step"
    )


FIELDS: dict[str, Field[Any]] = {setting.name: setting for setting in fields(Settings)}


def load(path: Path, environment: Mapping[str, str]) -> Settings:
    """The settings in force: environment before file before default.

    Relative folders are those beside the file. Raises StoreError, which names all that is wrong and
    where.
    """
    given = read_settings(path) | _from_environment(environment)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, one in given.items():
        try:
            values[name] = _read(name, one)
        except InvalidInput as error:
            problems.append(f"{one.where}: {error.message}")
    if problems:
        raise StoreError("\n".join(problems), hint=REMEDY)
    if folders := values.get("action_paths"):
        values["action_paths"] = tuple(path.parent / folder for folder in folders)
    return Settings(**values)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    variables = {name: f"TASKD_{name.upper()}" for name in FIELDS}
    return {
        name: Given(environment[variable], variable)
        for name, variable in variables.items()
        if variable in environment
    }


def _read(name: str, given: Given) -> Any:
    if name not in FIELDS:
        close = get_close_matches(name, FIELDS, n=1)
        raise InvalidInput(
            f"unknown setting {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")
        )
    try:
        return FIELDS[name].metadata["read"](given.value)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error.message}") from None
