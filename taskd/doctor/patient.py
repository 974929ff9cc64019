"""What is looked at, and how a check says what it has found."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from taskd.engine.engine import Engine
from taskd.model.finding import Severity
from taskd.places import Places
from taskd.settings import Settings
from taskd.store.database import Connection

NAMED = 5  # of many, so many are named


@dataclass(frozen=True)
class Patient:
    """`engine` is None where no daemon answers. `client` is the version of the program that asks,
    "" where it does not say so."""

    places: Places
    settings: Settings
    now: datetime
    snapshot: Callable[[], AbstractContextManager[Connection]]
    engine: Engine | None = None
    client: str = ""

    @property
    def read_log(self) -> str:
        """What to type to see what the daemon said last."""
        if self.engine and self.engine.systemd.listens:
            return "journalctl --user -u taskd -n 50"
        return command("tail", "-n", 50, self.places.log)


Told: TypeAlias = tuple[Severity, str, str]  # with the remedy
Check: TypeAlias = Callable[[Patient], Iterator[Told]]


def ok(message: str) -> Told:
    return Severity.OK, message, ""


def note(message: str, remedy: str = "") -> Told:
    return Severity.NOTE, message, remedy


def warning(message: str, remedy: str = "") -> Told:
    return Severity.WARNING, message, remedy


def problem(message: str, remedy: str = "") -> Told:
    return Severity.PROBLEM, message, remedy


# Words


def command(*words: object) -> str:
    """To be typed as it is, whatever is in a path."""
    return shlex.join(map(str, words))


def utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def size(number: int) -> str:
    """`12 MiB`; whole numbers are enough."""
    for unit in ("bytes", "KiB", "MiB"):
        if number < 10_000:
            return f"{number} {unit}"
        number >>= 10
    return f"{number} GiB"


def named(what: str, names: Sequence[object]) -> str:
    """`3 tasks: 1, 2, 5`, `1 task: 7`; of many the first."""
    more = ", …" if len(names) > NAMED else ""
    plural = "" if len(names) == 1 else "s"
    return f"{len(names)} {what}{plural}: {', '.join(map(str, names[:NAMED]))}{more}"
