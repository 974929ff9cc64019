"""Locks and links: `type:id/operation`, as in `site:blog/backup`."""

from dataclasses import dataclass
from datetime import datetime

from taskd.model.errors import InvalidInput

MAX_LENGTH = 1000  # characters of a lock as text


@dataclass(frozen=True)
class Lock:
    """A claim on a resource: `exclusive` for one operation or, when that is empty, for all.

    One that is not exclusive is a link: it refers to the resource and never conflicts.
    """

    resource: str
    operation: str = ""
    exclusive: bool = True

    def conflicts_with(self, other: "Lock") -> bool:
        return (
            self.exclusive
            and other.exclusive
            and self.resource == other.resource
            and (not self.operation or not other.operation or self.operation == other.operation)
        )

    def covers(self, other: "Lock") -> bool:
        """Whoever holds this need not take `other`, too."""
        return self.conflicts_with(other) and self.operation in ("", other.operation)

    def __str__(self) -> str:
        """As it is read: a resource that holds a slash ends in one where there is no operation."""
        parted = self.operation or "/" in self.resource
        return f"{self.resource}/{self.operation}" if parted and self.exclusive else self.resource


@dataclass(frozen=True)
class Claim:
    """A lock that a task holds or waits for, as `taskctl locks` shows it.

    `behind`: the tasks that hold what stands against it, and the one that waits just before it.
    """

    resource: str
    operation: str
    task_id: int
    task_name: str
    state: str
    user: str
    since: datetime
    held: bool = True
    behind: tuple[int, ...] = ()


def exclusive(resource: str, operation: str = "") -> Lock:
    """Nobody else may hold `resource` for `operation`, or for anything when that is empty."""
    return _checked(Lock(resource, operation), f"{resource!r} as a lock")


def link(resource: str) -> Lock:
    """Refer to `resource`, so that the task is found by it."""
    return _checked(Lock(resource, exclusive=False), f"{resource!r} as a link")


def parse_lock(text: str) -> Lock:
    """`type:id/operation`; `type:id/` and `type:id` are for all operations.

    Split at the last slash, so an id may hold slashes. Raises InvalidInput, saying what was read.
    """
    if any(part != part.strip() for part in text.rpartition("/")):
        raise InvalidInput(f"cannot read {text!r} as a lock: there is a space at an end")
    resource, slash, operation = text.rpartition("/")
    if not slash:
        resource, operation = text, ""
    return _checked(Lock(resource, operation), f"{text!r} as a lock")


def _checked(lock: Lock, read: str) -> Lock:
    if not isinstance(lock.resource, str):
        raise InvalidInput(f"cannot read {read}: it is no text")
    kind, colon, identity = lock.resource.partition(":")
    if not (kind and colon and identity):
        parts = f"resource {lock.resource!r}, operation {lock.operation!r}"
        understood = f"{parts}; " if lock.operation else ""
        expected = "'type:id' or 'type:id/operation', as in 'site:blog/backup'"
        if not lock.exclusive:
            expected = "'type:id', as in 'site:blog'"
        raise InvalidInput(f"cannot read {read}: {understood}expected {expected}")
    if any("\ud800" <= character <= "\udfff" for character in str(lock)):
        raise InvalidInput(f"cannot read {read}: half of a surrogate pair is no text")
    if len(str(lock)) > MAX_LENGTH:
        raise InvalidInput(f"{str(lock)[:40]!r}… is longer than {MAX_LENGTH} characters")
    return lock
