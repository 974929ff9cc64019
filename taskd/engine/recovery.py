"""At start: what a daemon before this one left running, and what became of it.

Nothing is started twice: a call is given out again only when it is certain that it never began.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from taskd.engine import clock, secrets
from taskd.engine.director import Director
from taskd.executors.base import Interrupted, NeverRan, Outcome
from taskd.executors.pool import Pool
from taskd.model import lifecycle
from taskd.places import Places
from taskd.store import children, meta, recurring, steps, tasks
from taskd.store.backup import RESTORED
from taskd.store.database import Database
from taskd.store.transaction import Transaction

log = logging.getLogger(__name__)

UNKNOWN = "unknown"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def recover(database: Database, director: Director, pool: Pool, places: Places) -> None:
    """Before the director starts: take up what still runs, and queue what has ended."""
    calls = steps.running(database.writer)
    director.adopt(calls)
    found = pool.take_up(set(calls))
    secrets.sweep(
        places.secrets,
        partial(tasks.needs_secrets, database.writer),
        partial(recurring.is_open, database.writer),
    )
    boot = _BOOT.read_text()
    last_boot = meta.get(database.writer, "boot", boot)
    if last_boot == boot:
        director.offset = meta.get(database.writer, "offset", director.offset)
    unheard_of = _unheard_of(last_boot, boot)
    outcomes = {i: found.ended.get(i, unheard_of) for i in calls if i not in found.running}
    told = {call_id: _tell(outcomes.get(call_id)) for call_id in calls}
    director.put(partial(_limit, director, pool, {i: calls[i] for i in found.running}))
    director.put(partial(_note, [(*calls[call_id], how) for call_id, how in told.items()]))
    for call_id, word in found.said:
        director.report(call_id, word)
    for call_id, outcome in outcomes.items():
        director.report(call_id, outcome, found.ended_at.get(call_id))
    # Not before the outcomes: a daemon that dies until then leaves this to the next one.
    director.put(partial(_note_boot, boot))
    director.put(partial(_tell_again, director, {calls[call_id][0] for call_id in found.running}))
    due = steps.count_due(database.writer, datetime.now(UTC))
    if calls or due:
        counts = [f"{count} {how}" for how, count in Counter(told.values()).items()]
        waited = [f"{due} were to be called again by now"] if due else []
        log.info("took up the steps of an earlier daemon: %s", ", ".join(counts + waited))


def _limit(
    director: Director, pool: Pool, running: dict[int, tuple[int, str]], tx: Transaction
) -> None:
    """A step that goes on has what is left of its time; a command's supervisor sees to it alone."""
    for call_id, (task_id, name) in running.items():
        task = tx.get(task_id)
        known = director.starter.catalog.step_of(task, name)
        begun = task.steps[name].started_at
        if known and known.timeout is not None and begun:
            left = max(0.0, known.timeout - (tx.now - begun).total_seconds())
            tx.after_commit.append(partial(pool.hosts.limit, call_id, left, known.timeout))
    for task_id, name, deadline in children.deadlines(tx.connection):
        tx.after_commit.append(partial(director.arm, deadline, task_id, name))


def _note_boot(boot: str, tx: Transaction) -> None:
    meta.put(tx.write(), "boot", boot)
    meta.put(tx.write(), "offset", clock.offset())


def _tell_again(director: Director, task_ids: Iterable[int], tx: Transaction) -> None:
    """The daemon may have died before it told what is to end."""
    tasks = [tx.get(task_id) for task_id in task_ids]
    director.tell_to_end(tx, [task for task in tasks if task.cancelling])
    director.kill(tx, tasks)


def _tell(outcome: Outcome | None) -> str:
    """In words what was found of a step; None: it has not ended."""
    match outcome:
        case None:
            return "still running"
        case NeverRan():
            return "not begun"
        case Interrupted():
            return UNKNOWN
        case _:
            return "ended meanwhile"


def _note(told: Iterable[tuple[int, str, str]], tx: Transaction) -> None:
    for task_id, name, how in told:
        if how != UNKNOWN:  # that is noted as an interruption
            tx.save(lifecycle.taken_up(tx.get(task_id), name, how, tx.now))


def _unheard_of(last_boot: str, boot: str) -> Outcome:
    """No folder of a host or command knows the call.

    While the machine has not gone down, what hosts wrote of themselves is complete, so the call
    never began. After a crash of the machine it may have been lost with the page cache. And what
    ran when a backup was made has ended since, and its folder is gone.
    """
    if last_boot == boot:
        return NeverRan()
    if last_boot == RESTORED:
        return Interrupted("it ran when the backup was made that the store was restored from")
    return Interrupted("the machine went down")
