"""What a look at the daemon has found: in order or not, and what helps."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """From what is in order to what keeps tasks from being done, or may lose something."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """`name` is what was looked at, `remedy` a command to type, or ""."""

    name: str
    severity: Severity
    message: str
    remedy: str = ""
