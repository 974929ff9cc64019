"""What the daemon does once a day: a chore is a line in `CHORES`.

When each was begun last is in the store, so that a restart neither repeats nor forgets it; and so
is what came of it, which `taskctl doctor` shows. The clock may be set, and the machine may sleep:
so it is looked at each hour.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from taskd.engine.engine import Engine
from taskd.model.record import replace
from taskd.store import chores, under_way
from taskd.store.chores import Last
from taskd.store.transaction import Transaction

log = logging.getLogger(__name__)

PERIOD = timedelta(days=1)
LOOK_SECONDS = 3600.0


@dataclass(frozen=True)
class Chore:
    """`do` is given the time, may take long, and says what came of it."""

    name: str
    do: Callable[[Engine, datetime], str]


def tell_of_long(engine: Engine, now: datetime) -> str:
    """Whoever wants to know is told of the tasks that have not stopped for long."""
    since = now - engine.settings.long_running_after
    with engine.database.snapshot() as connection:
        found = under_way.long_running(connection, since)
    for task_id in found:
        engine.loop.call(partial(engine.director.notifier.tell, "long_running", task_id))
    if not found:
        return "there are none"
    told = f"tasks that have not stopped since {since:%Y-%m-%d %H:%M} UTC: {_named(found)}"
    log.warning("%s", told)
    return told


def clean_up(engine: Engine, _now: datetime) -> str:
    """By the rules of the configuration, if they are to be followed each day."""
    return engine.cleaner.clean_daily()


CHORES = (Chore("long-running tasks", tell_of_long), Chore("cleanup", clean_up))


def is_due(last: Last | None, now: datetime) -> bool:
    """Also where the clock was set back since."""
    return last is None or not timedelta(0) <= now - last.begun_at < PERIOD


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
        now, store = self._now(), self._engine.database.writer
        due = [chore for chore in CHORES if is_due(chores.find(store, chore.name), now)]
        if due:
            self._engine.director.put(
                partial(_note_begin, due, now),
                lambda _value, error: None if error else self._begin(due, now),
            )
        self._engine.loop.later(LOOK_SECONDS, self._look)

    def _begin(self, due: Iterable[Chore], now: datetime) -> None:
        """In a thread of its own: it may read many tasks."""
        threading.Thread(target=self._do, args=(due, now), name="chores", daemon=True).start()

    def _do(self, due: Iterable[Chore], now: datetime) -> None:
        for chore in due:
            last = Last(now)
            try:
                last = replace(last, told=chore.do(self._engine, now))
            except Exception as error:  # one that fails is told of, and keeps no other back
                log.exception("the daily chore %r has failed", chore.name)
                last = replace(last, told=str(error) or repr(error), failed=True)
            ended = replace(last, ended_at=self._now())
            self._engine.director.put(partial(_note_end, chore, ended))


def _note_begin(due: Iterable[Chore], now: datetime, tx: Transaction) -> None:
    for chore in due:
        chores.put(tx.write(), chore.name, Last(now))


def _note_end(chore: Chore, ended: Last, tx: Transaction) -> None:
    """Unless it has been begun again since."""
    last = chores.find(tx.connection, chore.name)
    if last and last.begun_at == ended.begun_at:
        chores.put(tx.write(), chore.name, ended)


def _named(task_ids: list[int]) -> str:
    more = f" and {len(task_ids) - 10} more" if len(task_ids) > 10 else ""
    return ", ".join(map(str, task_ids[:10])) + more
