"""Lines for the journal: a priority in front, as sd-daemon(3) has it, and no time of their own."""

import logging
import os
from collections.abc import Mapping

_PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
)


class Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return marked(super().format(record), record.levelno)


def reads(fd: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether what is written to `fd` goes to the journal, and not where it was led since."""
    try:
        found = os.fstat(fd)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def marked(text: str, level: int) -> str:
    """Each line, since each becomes an entry of its own."""
    priority = next((number for least, number in _PRIORITIES if level >= least), 7)
    return "\n".join(f"<{priority}>{line}" for line in text.splitlines())
