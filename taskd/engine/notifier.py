"""Tells people what has become of tasks, off the director's path.

Each rule has a thread, and a queue of its own, so that one whose command hangs holds no other up.
Notices are not stored: what is not sent when the daemon ends is lost.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Iterable, Sequence

from taskd.engine import conflicts, notice
from taskd.engine.delivery import Undelivered, deliver
from taskd.engine.hooks import has_moved
from taskd.model.errors import TaskdError
from taskd.model.task import Task
from taskd.notifications import EVENTS, Rule
from taskd.store.database import Database, Lost

log = logging.getLogger(__name__)

MAX_WAITING = 1000  # notices of one rule
REPORT_SECONDS = 60.0  # between two lines on those that were dropped
PATIENCE = 5.0  # seconds, with a killed program


class Notifier:
    """Told by the director what a commit has changed. It costs nothing where there is no rule."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tellers: list[_Teller] = []
        self._events: frozenset[str] = frozenset()
        self._changing = threading.Lock()

    def heed(self, rules: Sequence[Rule]) -> None:
        """From now on these. What waits for a rule that is not among them is dropped."""
        with self._changing:
            old = list(self._tellers)
            new = []
            for rule in rules:
                teller = next((each for each in old if each.rule == rule), None)
                if teller:
                    old.remove(teller)
                    teller.rule = rule  # it may stand in another line
                new.append(teller or _Teller(rule, self._database))
            self._tellers = new
            self._events = frozenset().union(*(rule.on for rule in rules))
            for teller in old:
                teller.stop()

    # In the loop

    def note(self, changes: Iterable[tuple[Task | None, Task]]) -> None:
        """What tasks were and are: those that have come to rest may be of interest."""
        if not self._events:
            return
        for old, task in changes:
            event = str(task.result if task.finished else task.state)
            if event in self._events and has_moved(old, task):
                self.tell(event, task.id)

    def tell(self, event: str, task_id: int) -> None:
        """Whoever wants to know; never blocks."""
        for teller in self._tellers:
            if event in teller.rule.on:
                teller.put(event, task_id)


class _Teller:
    """The thread of one rule."""

    def __init__(self, rule: Rule, database: Database) -> None:
        self.rule = rule
        self._database = database
        self._waiting: queue.SimpleQueue[tuple[str, int] | None] = queue.SimpleQueue()
        self._dropped = 0  # counted in the loop
        self._reported = 0  # of them, in the thread
        self._reported_at = 0.0
        self._stopping = False
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._work, name="notifier", daemon=True)
        self._thread.start()

    def put(self, event: str, task_id: int) -> None:
        if self._waiting.qsize() < MAX_WAITING:
            self._waiting.put((event, task_id))
        else:
            self._dropped += 1

    def stop(self) -> None:
        """Soon: what runs for it is killed."""
        self._stopping = True
        self._dropped += self._waiting.qsize()
        self._waiting.put(None)
        os.eventfd_write(self._stop, 1)
        self._thread.join(PATIENCE)
        if not self._thread.is_alive():
            os.close(self._stop)

    def _work(self) -> None:
        while (next_one := self._waiting.get()) and not self._stopping:
            self._tell(*next_one)
            if self._waiting.empty() or time.monotonic() - self._reported_at > REPORT_SECONDS:
                self._report_dropped()
        self._report_dropped()

    def _tell(self, event: str, task_id: int) -> None:
        try:
            with self._database.snapshot() as connection:
                task = conflicts.get_full(connection, task_id)
            deliver(notice.write(self.rule, event, task), self._stop)
        except (Undelivered, TaskdError, OSError, Lost) as error:
            told = f"task {task_id} {EVENTS[event]}"
            log.warning("%s: nobody was told that %s: %s", self.rule.where, told, error)
        except Exception:  # a mistake of ours must not end the thread
            log.exception("%s: cannot tell of task %d", self.rule.where, task_id)

    def _report_dropped(self) -> None:
        """Not of each one: a flood may go on for long."""
        if dropped := self._dropped - self._reported:
            log.warning("%s: %d notices were dropped", self.rule.where, dropped)
            self._reported += dropped
            self._reported_at = time.monotonic()
