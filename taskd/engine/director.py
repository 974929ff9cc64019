"""The director alone owns the state. It works in the daemon's loop, after each round of it.

    changes ─► [ BEGIN · each by itself · start what may start · COMMIT ] ─► answers
                                                                          ─► calls to executors
                                                                          ─► those who wait
                                                                          ─► the notifier

Whatever changes state is a function put in its queue: a command of the API, an outcome, a time that
has come. It takes all that wait, so one fsync serves a whole batch. A change has no effect outside
the store before the commit and can be applied again: when SQLite drops the whole transaction (disk
full, I/O error), the batch is applied again one change a transaction, outcomes first, and only the
culprit is refused; an outcome is never refused but kept, and tried again.
"""

import logging
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast

from taskd.engine import clock, ending, secrets, unlocking
from taskd.engine.hooks import Hooks
from taskd.engine.notifier import Notifier
from taskd.engine.starting import Starter
from taskd.engine.trouble import Trouble
from taskd.engine.watchers import Watchers
from taskd.engine.when import expire
from taskd.executors.base import Call, Executor, Failure, Outcome, Progress
from taskd.executors.shortage import RETRY_SECONDS, is_shortage
from taskd.loop import Loop, Timer
from taskd.model import lifecycle
from taskd.model.errors import Busy, TaskdError
from taskd.model.step import StepError, StepState
from taskd.model.task import State, Task
from taskd.store import meta, steps, tasks
from taskd.store.database import Database, Lost, is_locked, is_mistake
from taskd.store.transaction import Transaction

log = logging.getLogger(__name__)

T = TypeVar("T")
Answer = Callable[[Any, BaseException | None], object]
Clock: TypeAlias = Callable[[], datetime]

MAX_BATCH = 512
AHEAD = 64  # calls that may be committed ahead of a free slot, a slot
HOOK = "@"  # no step's name begins with it
CHECKPOINT_SECONDS = 1.0
DUE_AT_ONCE = 32  # what is due at the same time begins in parts, the first soon
AGAIN_SECONDS = 0.01
LOOK_SECONDS = 30.0  # at most, between two looks at the clock while something waits for a time
AT_ONCE_SECONDS = 0.0003  # in which a client, or a quick step, answers what it was told
CLOCK_SETS = 5  # that are remembered, the last ones
LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, eq=False)
class Change:
    """`apply` may run more than once; `answer` is called once, after the commit.

    An outcome has `on_mistake`, which is applied instead when a mistake of ours keeps it from being
    applied: a step must not be taken for running for ever.
    """

    apply: Callable[[Transaction], object]
    answer: Answer | None = None
    on_mistake: Callable[[Transaction, Exception], object] | None = None


NOTHING = Change(lambda _tx: None)  # only to look what may start


def _now() -> datetime:
    return datetime.now(UTC)


class Undone(Exception):
    """Raised by a change that was only to be tried. `value` is its answer."""

    def __init__(self, value: object) -> None:
        self.value = value


class Director:
    def __init__(
        self,
        loop: Loop,
        database: Database,
        starter: Starter,
        now: Clock = _now,
    ) -> None:
        self.starter = starter
        self.pool: Executor
        self.watchers = Watchers()
        self.notifier = Notifier(database)
        self.after_batch: Callable[[], object] = lambda: None
        # Whether action files are as they were read. If not, they are read again, then `look`.
        self.has_fresh_code: Callable[[], bool] = lambda: True
        self._loop = loop
        self._clock = now
        self.clock_sets: deque[tuple[datetime, float]] = deque(maxlen=CLOCK_SETS)  # when, seconds
        self.offset = clock.offset()  # of the wall clock, as the store's times take it to be
        self.trouble = Trouble(loop, database, self._try, self.look)
        self._database = database
        self._tx = Transaction(database.writer)
        self._changes = deque([NOTHING])  # what the store holds may start at once
        self._hooks = Hooks(starter)
        starter.sub_tasks.arm = self.arm
        starter.recurring.since = now()
        starter.recurring.tell_to_end = self.tell_to_end
        starter.recurring.skipped = partial(self.notifier.tell, "skipped")
        # Calls given to executors: task and step, or HOOK and its id.
        self._out: dict[int, tuple[int, str]] = {}
        self._secrets_kept: dict[int, list[int]] = {}  # of failed sub-tasks, by their parent
        self._settled: list[int] = []  # calls whose outcome is in the batch at hand
        self._ended_lately = 0  # steps, at about the last commit
        self.is_behind = False  # more could have begun at the last commit
        self.starting = True  # of steps: not while the daemon only waits for those that run
        # Since when and by whom, where no step is to be started.
        self.drained = self._read_drained()
        self._checkpoint_is_due = False
        self._next_due: datetime | None = LONG_AGO  # of what waits for a time
        self._alarm: Timer | None = None
        self._answered = 0.0  # when the last commit was, by the monotonic clock

    # From any thread

    def put(self, apply: Callable[[Transaction], object], answer: Answer | None = None) -> None:
        self._changes.append(Change(apply, answer))
        self._loop.wake()

    def do(self, apply: Callable[[Transaction], T]) -> T:
        """The result of a change, once it is committed. Raises what it raised."""
        done: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self.put(apply, lambda value, error: done.put((value, error)))
        value, error = done.get()
        if error:
            raise error
        return cast(T, value)

    @property
    def calls_out(self) -> int:
        return len(self._out)

    def pause_starting(self, paused: bool) -> None:
        """No step is started any more, or again, when this returns."""
        self.do(lambda _tx: setattr(self, "starting", not paused))

    # In the loop, or before it starts

    def add(self, change: Change) -> None:
        """Without waking the loop, which is in a round."""
        self._changes.append(change)

    def arm(self, deadline: datetime, task_id: int, name: str) -> None:
        """Let a step wait for its sub-tasks no longer than until then. After a commit."""

        def overdue(tx: Transaction) -> None:
            self.tell_to_end(tx, self.starter.sub_tasks.overdue(tx, task_id, name))

        self.later(self._left(deadline), overdue)

    def later(self, seconds: float, apply: Callable[[Transaction], object]) -> None:
        self._loop.later(seconds, lambda: self.add(Change(apply)))

    def tell_to_end(
        self, tx: Transaction, cancelled: Iterable[Task], *, force: bool = False
    ) -> None:
        """What runs of these tasks, once it is committed that they are cancelled."""
        for step in [step for task in cancelled for step in task.steps.values()]:
            if step.state is StepState.RUNNING and step.call_id is not None:
                tx.after_commit.append(partial(self.pool.cancel, step.call_id, force=force))

    def kill(self, tx: Transaction, unlocked: Iterable[Task]) -> None:
        """What runs of tasks that stop when it is dead; what does not die in time is given up."""
        for task in unlocked:
            if task.unlocking:
                self.tell_to_end(tx, [task], force=True)
                since = task.state_updated_at
                give_up = partial(unlocking.give_up, task_id=task.id, since=since)
                tx.after_commit.append(partial(self.later, unlocking.PATIENCE, give_up))

    def drain(self, tx: Transaction, told: str) -> None:
        """Start no step any more, nor do later daemons, until this is told ""."""
        meta.put(tx.write(), "drained", told)
        self.drained = told

    def _read_drained(self) -> str:
        return str(meta.get(self._tx.connection, "drained", ""))

    def expects_more(self) -> bool:
        """A single change comes right after a commit: others will, too, and share the next one."""
        return len(self._changes) == 1 and time.monotonic() - self._answered < AT_ONCE_SECONDS

    def look(self) -> None:
        """Whether something more may start."""
        self.add(NOTHING)

    def heed_clock(self) -> None:
        """To be called now and then: what is shown of running steps depends on it, too."""
        if clock.was_set(self.offset, clock.offset()):
            self.look()

    def report(
        self, call_id: int, outcome: Outcome | Progress, ended_at: datetime | None = None
    ) -> None:
        """For executors: what became of a call, or how far it has got.

        `ended_at`: when it ended, where that was not now.
        """

        def apply(tx: Transaction, outcome: Outcome | Progress = outcome) -> None:
            task_id, step = self._out.get(call_id, (0, ""))
            if step.startswith(HOOK):
                self._hooks.ended(tx, int(step.removeprefix(HOOK)), outcome)
            elif step:
                ending.apply(tx, self.starter.sub_tasks, task_id, step, call_id, outcome, ended_at)

        def fail(tx: Transaction, error: Exception) -> None:
            apply(tx, Failure(StepError("internal", f"a mistake in taskd: {error!r}")))

        def ended(_value: object, _error: object) -> None:
            if self._out.pop(call_id, None):
                self._settled.append(call_id)

        if isinstance(outcome, Progress):
            self._changes.append(Change(apply))
        else:
            self._changes.append(Change(apply, ended, fail))

    def adopt(self, calls: dict[int, tuple[int, str]]) -> None:
        """Calls of an earlier daemon, whose outcomes will be reported."""
        self._out.update(calls)

    def serve(self) -> None:
        """Everything that waits, with what comes of it at once."""
        while self._changes:
            count = min(len(self._changes), MAX_BATCH)
            self._serve_batch([self._changes.popleft() for _ in range(count)])

    def _serve_batch(self, batch: list[Change]) -> None:
        try:
            follow = self._commit(batch)
        except Exception as error:  # whatever it is, only the culprit may suffer from it
            self._lose(batch, error)
            if isinstance(error, Lost) and is_locked(error):  # they all would wait in vain
                for change in batch:
                    self._refuse(change, error)
            else:
                self._commit_each(batch)
        else:
            follow()

    def _commit_each(self, batch: Iterable[Change]) -> None:
        for change in sorted(batch, key=lambda change: change.on_mistake is None):
            try:
                follow = self._commit([change])
            except Exception as error:  # see above
                self._lose([change], error)
                self._refuse(change, error)
            else:
                follow()

    def _lose(self, batch: list[Change], error: Exception) -> None:
        if not self.trouble.what:
            log.error("a transaction of %d changes was lost: %r", len(batch), error)
        self._tx.rollback()
        self._hooks.waiting = True
        self.drained = self._read_drained()
        self.trouble.met(error)

    def _try(self, answer: Answer) -> None:
        """Whether the store can be written."""
        self.add(Change(lambda tx: tasks.set_version(tx.write(), tx.version), answer))

    def _drop_secrets(self, task: Task) -> None:
        """Those of a sub-task that failed go with its parent, which may start it anew."""
        dropped = [task.id] if secrets.HIDDEN in task.input.values() else []
        dropped += self._secrets_kept.pop(task.id, [])
        for task_id in dropped:
            if tasks.needs_secrets(self._tx.connection, task_id):
                self._secrets_kept.setdefault(task.parent_task_id or 0, []).append(task_id)
            else:
                secrets.remove(self.starter.places.secrets, task_id)

    def _refuse(self, change: Change, error: Exception) -> None:
        if _is_to_wait(error):
            if change.on_mistake:
                self._loop.later(RETRY_SECONDS, lambda: self.add(change))
                return
            error = Busy(
                f"nothing was changed: {self.trouble.what or error}", hint="try again later"
            )
        elif fail := change.on_mistake:
            self.add(Change(lambda tx: fail(tx, error), change.answer))
            return
        if change.answer:
            change.answer(None, error)
            self.after_batch()

    def _commit(self, batch: list[Change]) -> Callable[[], object]:
        """What is to follow the commit, which nothing that fails then may undo."""
        tx = self._tx
        self._settled = []
        slots = self.starter.settings.action_slots
        tx.begin(self._clock(), slots)
        offset = self._follow_clock(tx)
        results = [self._attempt(change) for change in batch]
        self._wake_due(tx)
        self.starter.settle(tx)
        starting = self.starting and not (self.trouble.what or self.drained)
        room = self._room(batch)
        calls = self._start(tx, room, slots) if starting else []
        news = self.starter.settle(tx)
        if self._hooks.note(tx) or news:
            self.look()
        tx.flush()
        next_due = self._find_next_due()
        wrote = tx.commit()
        if offset != self.offset:
            self.clock_sets.append((tx.now, (offset - self.offset) / 1e6))
        self.offset = offset
        return partial(self._after_commit, batch, results, calls, next_due, wrote=wrote)

    def _follow_clock(self, tx: Transaction) -> int:
        """The offset of the wall clock that the store's times have then."""
        offset = clock.offset()
        if not clock.was_set(self.offset, offset):
            return self.offset
        moved = offset - self.offset
        log.info("the wall clock was set by %+.1f s: times of what is under way too", moved / 1e6)
        tx.move_times(moved)
        tx.now = self._clock()
        meta.put(tx.connection, "offset", offset)
        self._next_due = self._find_next_due()
        return offset

    def _start(
        self, tx: Transaction, room: int, slots: Mapping[str, int]
    ) -> list[tuple[Call, str]]:
        """Calls, each with its step, or HOOK and its id."""
        hooks = self._hooks.start(tx, room)
        room -= len(hooks)
        steps = self.starter.start(tx, room, self._free(tx, slots))
        self.is_behind = len(steps) >= room
        calls = [(call, f"{HOOK}{hook_id}") for hook_id, call in hooks.items()]
        return calls + [(call, call.step) for call in steps]

    def _attempt(self, change: Change) -> tuple[Any, BaseException | None]:
        tx = self._tx
        tx.begin_change()
        try:
            value = change.apply(tx)
        except TaskdError as error:
            tx.undo_change()
            return None, error.with_traceback(None)  # it holds the task, which may be large
        except Undone as undone:
            tx.undo_change()
            return undone.value, None
        except Exception as error:  # a bug in one request must not end the thread that owns all
            if _is_to_wait(error):  # perhaps the whole transaction is lost with it
                raise
            log.exception("a change failed")
            tx.undo_change()
            if not change.on_mistake:
                return None, error
            value = change.on_mistake(tx, error)
        tx.end_change()
        return value, None

    def _room(self, batch: list[Change]) -> int:
        """How many calls to give out: the free slots, and as many ahead as end meanwhile.

        Steps that take long end rarely, so nothing is given out ahead of its slot; tiny ones end by
        the dozen between two commits, and their slots need not wait for the next. While some that
        were given out ahead are at work, that none has ended just now means little.
        """
        ending_now = sum(change.on_mistake is not None for change in batch)
        left = len(self._out) - ending_now
        slots = self.pool.slots
        self._ended_lately = max(ending_now, self._ended_lately * 3 // 4 if left > slots else 0)
        ahead = min(2 * self._ended_lately, AHEAD * slots) if self._ended_lately > 1 else 0
        return slots + ahead - left

    def _free(self, tx: Transaction, slots: Mapping[str, int]) -> dict[str, int]:
        """What is left of the slots of each label that has some of its own."""
        free = dict(slots)
        for call_id, (task_id, name) in self._out.items() if slots else ():
            if not name.startswith(HOOK):
                task = tx.find(task_id)  # deleted, where what ran of it was given up
                if task and task.label in free and task.steps[name].call_id == call_id:
                    free[task.label] -= 1
        return free

    def _wake_due(self, tx: Transaction) -> None:
        if self._next_due is None or self._next_due > tx.now:
            return
        due = steps.due(tx.connection, tx.now, DUE_AT_ONCE)
        if len(due) == DUE_AT_ONCE:
            self._loop.later(0.0, self.look)  # in another round, so that these are handed over
        may_come = due and not self.trouble.what and self.has_fresh_code()
        for task_id, number in due:
            task = tx.get(task_id)
            step = next(step for step in task.steps.values() if step.number == number)
            if step.due_at and task.state is State.SCHEDULED:
                if may_come:
                    self.starter.schedule.come(tx, task)
            elif step.due_at:
                tx.save(lifecycle.due(task, step.name, tx.now))
        for task_id in tasks.expired(tx.connection, tx.now, MAX_BATCH):
            expire(tx, tx.get(task_id))

    def _find_next_due(self) -> datetime | None:
        store = self._tx.connection
        return min(filter(None, (steps.next_due(store), tasks.next_expiry(store))), default=None)

    def _set_alarm(self, due: datetime | None) -> None:
        if due == self._next_due and (self._alarm or not due):
            return
        least = 0.0
        if due == self._next_due:  # it waits for something else, too
            least = RETRY_SECONDS if self.trouble.what else AGAIN_SECONDS
        self._next_due = due
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        if due:
            left = (due - self._clock()).total_seconds()
            seconds = min(max(left, least), LOOK_SECONDS)
            self._alarm = self._loop.later(seconds, self._ring)

    def _left(self, due: datetime) -> float:
        """Seconds, as of the last commit: the clock may have been set since."""
        return max(0.0, (due - self._tx.now).total_seconds())

    def _ring(self) -> None:
        self._alarm = None
        self.look()

    def _after_commit(
        self,
        batch: list[Change],
        results: list[tuple[Any, BaseException | None]],
        calls: list[tuple[Call, str]],
        next_due: datetime | None,
        *,
        wrote: bool,
    ) -> None:
        tx = self._tx
        if wrote:
            self._note_commit()
        self._set_alarm(next_due)
        for call, step in calls:
            self._out[call.id] = call.task_id, step
            if step.startswith(HOOK):
                self._hooks.out.add(int(step.removeprefix(HOOK)))
        for change, (value, error) in zip(batch, results, strict=True):
            if change.answer:
                _do(change.answer, value, error)
        self.after_batch()  # a client reads its answer while the rest is done
        for call, _ in calls:
            _do(self.pool.start, call)
        if self._settled:
            _do(self.pool.settled, self._settled)
        for effect in tx.after_commit:
            _do(effect)
        for task in tx.changed.values():
            if task.finished:
                _do(self._drop_secrets, task)
        self.watchers.wake(tx.changed)
        _do(self.notifier.note, tx.changes())
        self.after_batch()
        self._answered = time.monotonic()

    def _note_commit(self) -> None:
        try:
            self._database.committed(self._tx.version)
        except OSError as error:
            self.trouble.met(error)
        if not self._checkpoint_is_due:
            self._checkpoint_is_due = True
            self._loop.later(CHECKPOINT_SECONDS, self._checkpoint)

    def _checkpoint(self) -> None:
        self._checkpoint_is_due = False
        try:
            size = self._database.checkpoint()
        except (Lost, OSError) as error:
            self.trouble.met(error)
            return
        if size > self.starter.settings.large_wal:
            log.warning("the WAL has %d MiB: somebody reads the store for long", size >> 20)


def _is_to_wait(error: Exception) -> bool:
    """Not the change is wrong: the store, or a file for a secret, cannot be written now."""
    return (isinstance(error, Lost) and not is_mistake(error)) or is_shortage(error)


def _do(function: Callable[..., object], *arguments: object) -> None:
    """One of several things that do not depend on each other."""
    try:
        function(*arguments)
    except Exception:  # it is committed: a mistake of ours in one must not keep the others back
        log.exception("what follows a commit has failed")
