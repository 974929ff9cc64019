"""A cleanup: what was asked for, how far it is, and what came of it."""

import threading
from dataclasses import dataclass, field
from typing import Any

from taskd.cleaning import Backup
from taskd.engine.cleanup_parts import Part

BATCH = 1000  # tasks that are kept, and then deleted


@dataclass(frozen=True)
class Order:
    parts: list[Part]
    who: str
    noop: bool = False
    batch_size: int = BATCH
    backup: Backup | None = field(default_factory=Backup)  # None: nothing is kept


@dataclass
class Progress:
    """Of one part. `matched` are the tasks that it means, with all below them."""

    name: str
    filter: str
    matched: int = 0
    deleted: int = 0
    sample: list[tuple[int, str]] = field(default_factory=list)


class Cleanup:
    """One that was begun."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.parts = [Progress(part.name, part.filter) for part in order.parts]
        self.orphans = 0  # folders of logs without a task
        self.backup = ""
        self.error: Exception | None = None
        self._done = threading.Event()
        self._told_to_stop = threading.Event()

    def stop(self) -> None:
        """Once what was kept is deleted."""
        self._told_to_stop.set()

    @property
    def stopped(self) -> bool:
        return self._told_to_stop.is_set()

    @property
    def done(self) -> bool:
        return self._done.is_set()

    def wait(self) -> None:
        self._done.wait()

    def end(self) -> None:
        """Its outcome is known."""
        self._done.set()

    def report(self) -> dict[str, Any]:
        """Raises what has ended it."""
        if self.error:
            raise self.error
        return {
            "noop": self.order.noop,
            "parts": [vars(part) for part in self.parts],
            "orphans": self.orphans,
            "backup": self.backup,
            "stopped": self.stopped,
        }
