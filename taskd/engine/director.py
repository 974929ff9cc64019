"""The one thread that owns the state.

    changes ─► [ BEGIN · each in a savepoint · start what may start · COMMIT ] ─► answers
                                                                              ─► calls to executors
                                                                              ─► those who wait

Whatever changes state is a function put in its queue: a command of the API, an outcome, a time that
has come. It takes all that wait, so one fsync serves a whole batch. A change has no effect outside
the store before the commit and can be applied again: when SQLite drops the whole transaction (disk
full, I/O error), the batch is applied again one change a transaction, outcomes first, and only the
culprit is refused; an outcome is never refused but kept, and tried again.
"""

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from taskd.engine import ending
from taskd.engine.starting import Starter
from taskd.engine.watchers import Watchers
from taskd.executors.base import Call, Outcome, Progress
from taskd.executors.pool import Pool
from taskd.model import lifecycle
from taskd.model.errors import Busy, TaskdError
from taskd.store import steps
from taskd.store.database import Database, Lost
from taskd.store.transaction import Transaction

log = logging.getLogger(__name__)

T = TypeVar("T")
Answer = Callable[[Any, BaseException | None], object]

MAX_BATCH = 512
AHEAD = 16  # calls that may be committed ahead of a free slot, a slot
RETRY_SECONDS = 1.0  # between attempts to store an outcome


@dataclass(frozen=True, eq=False)
class Change:
    """`apply` may run more than once; `answer` is called once, after the commit."""

    apply: Callable[[Transaction], object]
    answer: Answer | None = None
    is_outcome: bool = False


class Director:
    def __init__(self, database: Database, starter: Starter, pool: Pool) -> None:
        self.starter = starter
        self.watchers = Watchers()
        self.after_batch: Callable[[], object] = lambda: None
        self._tx = Transaction(database.writer)
        self._pool = pool
        self._queue: queue.SimpleQueue[Change | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="director", daemon=True)
        self._out: dict[int, tuple[int, str]] = {}  # calls given to executors: task and step
        self._settled: list[int] = []  # calls whose outcome is in the batch at hand
        self._starting = True
        self._next_due: datetime | None = None

    # From any thread

    def launch(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """After what is queued; nothing more is taken."""
        self._queue.put(None)
        self._thread.join()

    def put(self, apply: Callable[[Transaction], object], answer: Answer | None = None) -> None:
        self._queue.put(Change(apply, answer))

    def do(self, apply: Callable[[Transaction], T]) -> T:
        """The result of a change, once it is committed. Raises what it raised."""
        done: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self.put(apply, lambda value, error: done.put((value, error)))
        value, error = done.get()
        if error:
            raise error
        return value  # type: ignore[no-any-return]

    def report(self, call_id: int, outcome: Outcome | Progress) -> None:
        """For executors: what became of a call."""

        def apply(tx: Transaction) -> None:
            if call_id in self._out:
                ending.apply(tx, self.starter.catalog, *self._out[call_id], call_id, outcome)

        def ended(_value: object, _error: object) -> None:
            if self._out.pop(call_id, None):
                self._settled.append(call_id)

        is_progress = isinstance(outcome, Progress)
        self._queue.put(Change(apply, None if is_progress else ended, not is_progress))

    def adopt(self, calls: dict[int, tuple[int, str]]) -> None:
        """Before launch: calls of an earlier daemon, whose outcomes will be reported."""
        self._out.update(calls)

    def pause_starting(self, paused: bool) -> None:
        """No step is started any more, or again."""
        self.put(lambda _tx: setattr(self, "_starting", not paused))

    @property
    def calls_out(self) -> int:
        return len(self._out)

    # The thread

    def _run(self) -> None:
        self._queue.put(Change(lambda _tx: None))  # what the store holds may start at once
        while batch := self._take():
            self._serve(batch)

    def _take(self) -> list[Change]:
        """All that wait, at least one; none when told to stop."""
        batch: list[Change] = []
        try:
            change = self._queue.get(timeout=self._patience())
            while change is not None:
                batch.append(change)
                if len(batch) == MAX_BATCH:
                    return batch
                change = self._queue.get_nowait()
            if batch:  # first finish these
                self._queue.put(None)
            return batch
        except queue.Empty:
            return batch or [Change(lambda _tx: None)]

    def _patience(self) -> float | None:
        if self._next_due is None:
            return None
        return max(0.0, (self._next_due - datetime.now(UTC)).total_seconds())

    def _serve(self, batch: list[Change]) -> None:
        try:
            self._commit(batch)
        except Lost as error:
            log.error("a transaction of %d changes was lost: %s", len(batch), error)
            self._tx.rollback()
            self._commit_each(batch)

    def _commit_each(self, batch: Iterable[Change]) -> None:
        for change in sorted(batch, key=lambda change: not change.is_outcome):
            try:
                self._commit([change])
            except Lost as error:
                self._tx.rollback()
                self._refuse(change, error)

    def _refuse(self, change: Change, error: sqlite3.Error) -> None:
        if change.is_outcome:
            threading.Timer(RETRY_SECONDS, self._queue.put, [change]).start()
        elif change.answer:
            change.answer(None, Busy(f"the store cannot be written now: {error}"))
            self.after_batch()

    def _commit(self, batch: list[Change]) -> None:
        tx = self._tx
        self._settled = []
        tx.begin(datetime.now(UTC))
        results = [self._attempt(change) for change in batch]
        self._wake_due(tx)
        calls = self.starter.start(tx, self._room(batch)) if self._starting else []
        self._next_due = steps.next_due(tx.connection)
        tx.commit()
        self._after_commit(batch, results, calls)

    def _attempt(self, change: Change) -> tuple[Any, BaseException | None]:
        tx = self._tx
        tx.savepoint()
        try:
            value = change.apply(tx)
        except TaskdError as error:
            tx.undo()
            return None, error
        except Lost:  # perhaps the whole transaction with it
            raise
        except Exception as error:  # a bug in one request must not end the thread that owns all
            log.exception("a change failed")
            tx.undo()
            return None, error
        tx.release()
        return value, None

    def _room(self, batch: list[Change]) -> int:
        """How many calls to give out: the free slots, and as many ahead as just ended.

        Steps that take long end rarely, so nothing is given out ahead of its slot; tiny ones end by
        the dozen between two commits, and their slots need not wait for the next.
        """
        ending_now = sum(change.is_outcome for change in batch)
        slots = self._pool.slots
        ahead = min(2 * ending_now, AHEAD * slots) if ending_now > 1 else 0
        return slots + ahead - (len(self._out) - ending_now)

    def _wake_due(self, tx: Transaction) -> None:
        if self._next_due is None or self._next_due > tx.now:
            return
        for task_id, number in steps.due(tx.connection, tx.now, MAX_BATCH):
            task = tx.get(task_id)
            name = next(s.name for s in task.steps.values() if s.number == number)
            tx.save(lifecycle.due(task, name))

    def _after_commit(
        self,
        batch: list[Change],
        results: list[tuple[Any, BaseException | None]],
        calls: list[Call],
    ) -> None:
        tx = self._tx
        if calls:
            self._out |= {call.id: (call.task_id, call.step) for call in calls}
            self._pool.start_many(calls)
        for change, (value, error) in zip(batch, results, strict=True):
            if change.answer:
                change.answer(value, error)
        if self._settled:
            self._pool.settled(self._settled)
        for effect in tx.after_commit:
            effect()
        self.watchers.wake(tx.changed)
        self.after_batch()
