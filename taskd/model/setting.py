"""A setting as it is in force, and where its value came from."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Source(StrEnum):
    """Where a value came from; a later one goes before those above it."""

    DEFAULT = "default"
    STORED = "stored"
    FILE = "file"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Setting:
    """`value` and `default` are JSON: lengths of time in seconds, sizes in bytes, as `unit` says.

    `where`: who stored it and when, file and line, or the environment variable. `at_start`: it
    counts only when the daemon starts, so that it cannot be stored.
    """

    name: str
    value: Any
    default: Any
    unit: str
    source: Source
    where: str
    at_start: bool
    help: str
