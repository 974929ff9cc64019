"""What the daemon does once a day: so far, to tell of tasks that have not stopped for long.

When that was last is in the store, so that a restart neither repeats nor forgets it. The clock may
be set, and the machine may sleep: so it is looked at each hour.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from taskd.engine.engine import Engine
from taskd.store import meta, under_way
from taskd.store.times import to_number

log = logging.getLogger(__name__)

PERIOD = timedelta(days=1)
LOOK_SECONDS = 3600.0


class Chores:
    """To be started before the loop."""

    def __init__(
        self, engine: Engine, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._now = now

    def start(self) -> None:
        self._engine.loop.later(0.0, self._look)

    def _look(self) -> None:
        now = to_number(self._now()) or 0
        last = meta.get(self._engine.database.writer, "chores", 0)
        if not 0 <= now - last < PERIOD.total_seconds() * 1e6:
            self._engine.director.put(
                lambda tx: meta.put(tx.write(), "chores", now),
                lambda _value, error: None if error else self._begin(),
            )
        self._engine.loop.later(LOOK_SECONDS, self._look)

    def _begin(self) -> None:
        """In a thread of its own: it may read many tasks."""
        threading.Thread(target=self._tell_of_long, name="chores", daemon=True).start()

    def _tell_of_long(self) -> None:
        since = self._now() - self._engine.settings.long_running_after
        with self._engine.database.snapshot() as connection:
            found = under_way.long_running(connection, since)
        if found:
            log.warning("tasks that have not stopped since %s: %s", since, _named(found))
        for task_id in found:
            tell = self._engine.director.notifier.tell
            self._engine.loop.call(partial(tell, "long_running", task_id))


def _named(task_ids: list[int]) -> str:
    more = f" and {len(task_ids) - 10} more" if len(task_ids) > 10 else ""
    return ", ".join(map(str, task_ids[:10])) + more
