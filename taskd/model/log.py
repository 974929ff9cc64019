"""A line that a step printed."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class LogLine:
    """`stream` is `stdout`, `stderr` or `taskd` (a remark of ours). Bytes that are no UTF-8 are
    shown as `\\xff`; a line longer than 16 KiB comes in parts, `partial` for all but the last."""

    at: datetime
    step: str
    stream: str
    text: str
    partial: bool = False


@dataclass(frozen=True)
class LogPage:
    """`position` is given back to read on. `ended`: nothing will be added any more."""

    lines: list[LogLine]
    position: dict[str, int]
    ended: bool
