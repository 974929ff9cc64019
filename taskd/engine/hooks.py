"""Hooks: an author's methods that are told what a task has come to, outside of its transaction.

That one is to be called is stored with the change; it is given to a host after that, again by the
next daemon if this one ends, and removed when it has been called.
"""

import logging

from taskd import wire
from taskd.engine.starting import Starter
from taskd.executors.base import Call, Failure, Interrupted, NeverRan, Outcome, Progress, Success
from taskd.model.task import Task
from taskd.store import hooks as store
from taskd.store import tasks
from taskd.store.transaction import Transaction

log = logging.getLogger(__name__)

DESCRIBE = "describe_"  # what such a hook returns is kept
AT_ONCE = 1
MAX_TEXT = 10_000


class Hooks:
    def __init__(self, starter: Starter) -> None:
        self.out: set[int] = set()  # given to an executor
        self.waiting = True  # there are others in the store, perhaps
        self._starter = starter

    def note(self, tx: Transaction) -> bool:
        """Write down which are to be called for what has changed. Whether there are any."""
        catalog = self._starter.catalog
        if not catalog.hooked:
            return False
        wanted = []
        for old, task in tx.changes():
            if task.label in catalog.hooked and (definition := catalog.of(task)):
                come_to = _events(old, task)
                hooks = [hook for hook in definition.hooks if come_to.intersection(hook.events)]
                wanted += [(task.id, hook.name) for hook in hooks]
        if wanted:
            store.add(tx.connection, wanted)
            self.waiting = True
        return bool(wanted)

    def start(self, tx: Transaction, room: int) -> dict[int, Call]:
        """Calls by the id of the hook. One hangs at the most: steps must not wait for hooks."""
        room = min(room, AT_ONCE - len(self.out))
        if not self.waiting or room <= 0:
            return {}
        found = store.find(tx.connection, self.out, room)
        self.waiting = len(found) == room
        calls: dict[int, Call] = {}
        for hook_id, task_id, name in found:
            task = tx.get(task_id)
            if definition := self._starter.catalog.of(task):
                told = wire.encode(tasks.get_full(tx.connection, task_id))
                calls[hook_id] = self._starter.hook_call(tx, task, definition, name, told)
            else:
                store.remove(tx.connection, hook_id)
        return calls

    def ended(self, tx: Transaction, hook_id: int, outcome: Outcome | Progress) -> None:
        if isinstance(outcome, Progress):
            return
        self.out.discard(hook_id)
        self.waiting = True  # those that had no room
        found = store.get(tx.connection, hook_id)
        if isinstance(outcome, NeverRan) or found is None:
            return
        task_id, name = found
        store.remove(tx.write(), hook_id)
        match outcome:
            case Success(str() as text) if name.startswith(DESCRIBE):
                store.describe(tx.write(), task_id, name.removeprefix(DESCRIBE), text[:MAX_TEXT])
            case Failure(error):
                log.warning("hook %s of task %d failed: %s", name, task_id, error.reason)
            case Interrupted(reason):
                log.warning("hook %s of task %d was interrupted: %s", name, task_id, reason)


def has_moved(old: Task | None, task: Task) -> bool:
    """It has come to a state, perhaps to that in which it was before."""
    return not old or (old.state, old.state_updated_at) != (task.state, task.state_updated_at)


def _events(old: Task | None, task: Task) -> set[str]:
    """The state that it has come to, and the result with which it has stopped."""
    if not has_moved(old, task):
        return set()
    return {str(task.state), str(task.result)} if task.finished else {str(task.state)}
