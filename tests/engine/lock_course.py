"""A course of tasks that lock: a daemon, the people that use it, and what becomes of its steps.

Each commit is checked by the rules. A move that is not possible is none.
"""

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from builders import a_definition, an_error
from lock_rules import Locks, Picture, Seen, check, look
from rehearsal import Death, Rehearsal

from taskd.engine import family, unlocking
from taskd.engine.creating import Order, create
from taskd.engine.locking import Conflict
from taskd.executors.base import (
    Call,
    CallKind,
    Cancelled,
    Delegated,
    Failure,
    Found,
    Interrupted,
    NeverRan,
    Planned,
    SubTask,
    Success,
)
from taskd.model.definition import Definition, Field
from taskd.model.errors import InvalidState
from taskd.model.lock import exclusive, link, parse_lock
from taskd.store.database import Connection
from taskd.store.transaction import Transaction

ROUNDS = 60  # of help at the end; far above what is needed
DEEPEST = 3
CROWD = 8  # unfinished tasks, above which no more are started
NUMBER = Field("n", {"type": "integer"}, required=False, default=0)

Change = Callable[[Transaction], object]


class Course:
    """A daemon, the people that use it, and what becomes of its steps."""

    def __init__(self, folder: Path, actions: list[dict[str, Any]]) -> None:
        self.actions = [an_action(f"action-{n}", each) for n, each in enumerate(actions)]
        self._locks_of = {each.label: locks_of(each) for each in self.actions}
        self._ordered: dict[int, Locks] = {}  # beside those
        self._numbers = count(1)
        self._last = Picture()
        self._pictures: list[Picture] = []
        self._fates: list[str] = []
        self.daemon = Rehearsal(folder, self.actions, self._take_picture)
        self._serve()

    # What people do

    def start(self, orders: list[dict[str, Any]], how: str) -> None:
        if len(self._last.unfinished) < CROWD:
            self._make(how, *[partial(self._start, **order) for order in orders])

    def _start(self, tx: Transaction, action: int, **order: Any) -> None:
        definition = pick(self.actions, action)
        made = create(tx, self.daemon.places, definition, {}, {}, Order(**order), "ana", 1000)
        self._ordered[made.id] = frozenset(map(parse_lock, order["locks"]))

    def resume(self, which: int, how: str) -> None:
        for task in one_of(self._resumable, which):
            self._make(how, partial(self._resume, task_id=task.id))

    def _resume(self, tx: Transaction, task_id: int) -> None:
        task, daemon = tx.get(task_id), self.daemon
        resumed = unlocking.resume(tx, daemon.catalog, daemon.places, task, "ana", {})
        if isinstance(resumed, Conflict):
            raise InvalidState(str(resumed))
        tx.save(resumed)

    def skip(self, which: int, how: str) -> None:
        for task in one_of(self._paused, which):
            self._make(how, partial(self._skip, task_id=task.id))

    def _skip(self, tx: Transaction, task_id: int) -> None:
        tx.save(family.skip(tx, tx.get(task_id), None, "ana"))

    def cancel(self, which: int, how: str) -> None:
        for task in one_of(self._last.unfinished, which):
            self._make(how, partial(self._cancel, task_id=task.id))

    def _cancel(self, tx: Transaction, task_id: int) -> None:
        cancelled = family.cancel(tx, self.daemon.catalog, tx.get(task_id), "ana")
        self.daemon.director.tell_to_end(tx, cancelled)

    def unlock(self, which: int, force: bool, how: str) -> None:
        for task in one_of(self._last.unfinished, which):
            self._make(how, partial(self._unlock, task_id=task.id, force=force))

    def _unlock(self, tx: Transaction, task_id: int, force: bool) -> None:
        unlocked = unlocking.unlock(tx, tx.get(task_id), "ana", force=force, reason="")
        self.daemon.director.kill(tx, unlocked)

    def let_pass(self, seconds: float) -> None:
        self._serve(partial(self.daemon.pass_time, seconds))

    # What becomes of steps

    def end(self, steps: list[tuple[int, str]], wanted: list[int], how: str) -> None:
        """Those that ask for sub-tasks want these."""
        for which, fate in steps:
            for call in one_of(self._calls, which):
                if fate == "asks" and self._may_ask(call):
                    self._ask(call, wanted)
                else:
                    self._end(call, fate)
        self._make(how)

    def _ask(self, call: Call, wanted: list[int]) -> None:
        labels = [pick(self.actions, which).label for which in wanted]
        children = tuple(SubTask(label, {"n": next(self._numbers)}) for label in labels)
        concurrency = wanted[0] % 3 or None
        self.daemon.end(call, Delegated(children, concurrency))

    def _end(self, call: Call, fate: str) -> None:
        match fate:
            case "failure":
                self.daemon.end(call, Failure(an_error()))
            case "never ran":
                self.daemon.end(call, NeverRan())
            case "interrupted":
                self.daemon.end(call, Interrupted("it died"))
            case _ if call.id in self.daemon.calls.told:
                self.daemon.end(call, Cancelled())
            case _ if call.kind is CallKind.PLAN:
                self.daemon.end(call, self._plan(call))
            case _:
                self.daemon.end(call, Success())

    def _plan(self, call: Call) -> Planned:
        locks = map(parse_lock, self.daemon.catalog.get(call.label).locks)
        return Planned("Demo", ["sequence", "one", "two"], (*locks, link("site:c")))

    # What becomes of the daemon

    def die_with_the_next_commit(self, fates: list[str]) -> None:
        """Of steps that run then, some do still, and of others these fates are found."""
        self.daemon.dying, self._fates = True, fates

    def _be_followed(self) -> None:
        outcomes = {"success": Success(), "failure": Failure(an_error())}
        fates = {call.id: pick(self._fates, n) for n, call in enumerate(self._calls)}
        self.daemon.die(
            Found(
                {call_id for call_id, fate in fates.items() if fate == "runs"},
                {i: outcomes[fate] for i, fate in fates.items() if fate in outcomes},
            )
        )

    # The end

    def bring_all_to_an_end(self) -> None:
        """With some help, every task gets there."""
        self.daemon.dying = False
        self.let_pass(unlocking.PATIENCE)
        assert not any(task.resumable for task in self._last.unfinished)
        for number in range(ROUNDS):
            self._end_what_runs()
            if number % 3 == 2:
                self._cancel_a_paused_one()
            for task in self._paused:
                self._make("at once", partial(self._resume, task_id=task.id))
        assert not self._last.unfinished

    def _cancel_a_paused_one(self) -> None:
        for task in self._paused[:1]:
            self._make("at once", partial(self._cancel, task_id=task.id))

    def _end_what_runs(self) -> None:
        self._serve()
        while self._calls:
            for call in self._calls:
                self._end(call, "success")
            self._serve()

    # How it is done

    def _make(self, how: str, *changes: Change) -> None:
        for change in changes:
            self.daemon.put(refused(change) if how == "refused" else change)
        if how == "lost":
            self.daemon.put(Loss())
        if how != "with the next":
            self._serve()

    def _serve(self, serve: Callable[[], object] | None = None) -> None:
        try:
            (serve or self.daemon.serve)()
        except Death:
            self._be_followed()
        for picture in self._pictures:
            check(self._last, picture)
            self._last = picture
        self._pictures.clear()

    def _take_picture(self, connection: Connection) -> None:
        self._pictures.append(look(connection, self._asked))

    def _asked(self, task_id: int, label: str, parent: int | None) -> Locks:
        own = self._locks_of[label]
        return own if parent else own | self._ordered[task_id]

    def _may_ask(self, call: Call) -> bool:
        task = self._last.tasks[call.task_id]
        return call.kind is CallKind.STEP and len(self._last.above(task)) < DEEPEST

    @property
    def _calls(self) -> list[Call]:
        return sorted(self.daemon.calls.running.values(), key=lambda call: call.id)

    @property
    def _paused(self) -> list[Seen]:
        return [task for task in self._last.unfinished if task.state == "paused"]

    @property
    def _resumable(self) -> list[Seen]:
        unlocked = [t for t in self._last.tasks.values() if t.resumable and not t.unfinished]
        return self._paused + unlocked[-1:]


def an_action(label: str, given: dict[str, Any]) -> Definition:
    if given.get("planner") == "host":
        given = given | {"flow": None}
    return a_definition(label, ["one", "two"], fields=(NUMBER,), **given)


def locks_of(action: Definition) -> Locks:
    own = [exclusive(f"action:{action.label}")] if action.singleton else []
    return frozenset([*map(parse_lock, action.locks), *own])


def pick(items: list[Any], which: int) -> Any:
    return items[which % len(items)]


def one_of(items: list[Any], which: int) -> list[Any]:
    """None, if there is none."""
    return [pick(items, which)] if items else []


def refused(change: Change) -> Change:
    """After it has been made."""

    def apply(tx: Transaction) -> None:
        change(tx)
        raise InvalidState("no")

    return apply


class Loss:
    """SQLite drops the whole transaction at its very end, once."""

    def __init__(self) -> None:
        self._came = False

    def __call__(self, tx: Transaction) -> None:
        if not self._came:
            self._came = True
            tx.write().execute("INSERT INTO links VALUES (-1, 'of:nobody')")
