"""Locks and links: `type:id/operation`, as in `site:blog/backup`."""

from dataclasses import dataclass
from datetime import datetime

from taskd.model.errors import InvalidInput


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

    def __str__(self) -> str:
        return f"{self.resource}/{self.operation}" if self.operation else self.resource


@dataclass(frozen=True)
class Holding:
    """A lock that a task holds, as `taskctl locks` shows it."""

    resource: str
    operation: str
    task_id: int
    task_name: str
    state: str
    user: str
    since: datetime


def exclusive(resource: str, operation: str = "") -> Lock:
    """Nobody else may hold `resource` for `operation`, or for anything when that is empty."""
    return Lock(_checked(resource), operation)


def link(resource: str) -> Lock:
    """Refer to `resource`, so that the task is found by it."""
    return Lock(_checked(resource), exclusive=False)


def parse_lock(text: str) -> Lock:
    """`type:id/operation`; `type:id/` and `type:id` are for all operations.

    Split at the last slash, so an id may hold slashes. Raises InvalidInput, saying what was read.
    """
    resource, slash, operation = text.rpartition("/")
    if not slash:
        resource, operation = text, ""
    return exclusive(resource, operation)


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _checked(resource: str) -> str:
    kind, colon, identity = resource.partition(":")
    if not (kind and colon and identity) or not _is_text(resource):
        raise InvalidInput(
            f"cannot read {resource!r} as a resource: expected 'type:id', as in 'site:blog'"
        )
    return resource
