"""Safe mode: where daemons keep dying at their start, the next one answers and starts nothing.

Each start is noted in a file, a line each: its time by the wall clock. A daemon that lives on takes
its note back, so the notes that a new one finds are of those that died.
"""

import contextlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path

from taskd.model.errors import TaskdError

log = logging.getLogger(__name__)

DEATHS = 5
WITHIN = 300.0  # seconds
LIVES_ON_AFTER = 2.0  # seconds since it answers, with its recovery done

REASON = (
    f"the daemon is in safe mode and starts no steps: it died {DEATHS} times in {WITHIN / 60:g}"
    " minutes, each time soon after its start; when the cause is removed (its log may tell):"
    " taskd restart"
)


class Starts:
    """The file of notes. Where it cannot be read it is as if empty, and no daemon fails for it."""

    def __init__(self, path: Path) -> None:
        """Notes this start."""
        self._path = path
        now = time.time()
        # A clock that was set back leaves notes of times to come: they tell nothing.
        self._deaths = [at for at in self._read() if now - WITHIN < at <= now][-DEATHS:]
        self._write([*self._deaths, now])

    @property
    def reason(self) -> str:
        """Why this daemon starts in safe mode, and how to leave it; "" when it does not."""
        return REASON if len(self._deaths) == DEATHS else ""

    def take_back(self) -> None:
        """This one is no death."""
        self._write(self._deaths)

    def forget(self) -> None:
        """Neither this one nor those before it count any more."""
        self._write([])

    def _read(self) -> list[float]:
        try:
            return [float(line) for line in self._path.read_text().splitlines()]
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            log.warning("cannot read %s, which is taken for empty: %s", self._path, error)
            return []

    def _write(self, times: list[float]) -> None:
        part = self._path.with_name(f"{self._path.name}.part")
        try:
            part.write_text("".join(f"{at:.3f}\n" for at in times))
            part.replace(self._path)
        except OSError as error:
            log.warning("cannot write %s: %s", self._path, error)


@contextlib.contextmanager
def noted(path: Path) -> Iterator[Starts]:
    """A start, which is no death when the daemon stops in order, or refuses to start."""
    starts = Starts(path)
    if starts.reason:
        log.error("%s", starts.reason)
    try:
        yield starts
    except TaskdError:
        starts.take_back()
        raise
    starts.forget()
