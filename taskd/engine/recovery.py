"""At start: what a daemon before this one left running, and what became of it.

Nothing is started twice: a call is given out again only when it is certain that it never began.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from taskd.engine import secrets
from taskd.engine.director import Director
from taskd.executors.base import Interrupted, NeverRan, Outcome
from taskd.executors.pool import Pool
from taskd.places import Places
from taskd.store import children, meta, steps, tasks
from taskd.store.database import Database
from taskd.store.transaction import Transaction

log = logging.getLogger(__name__)

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def recover(database: Database, director: Director, pool: Pool, places: Places) -> None:
    """Before the director starts: take up what still runs, and queue what has ended."""
    calls = steps.running(database.writer)
    director.adopt(calls)
    found = pool.take_up(set(calls))
    for call_id in found.running:
        _limit(database, director, pool, call_id, *calls[call_id])
    secrets.sweep(places.secrets, lambda task_id: tasks.needs_secrets(database.writer, task_id))
    boot = _BOOT.read_text()
    same_boot = meta.get(database.writer, "boot", boot) == boot
    for call_id in calls:
        if call_id not in found.running:
            director.report(call_id, found.ended.get(call_id) or _unheard_of(same_boot))
    # Not before the outcomes: a daemon that dies until then leaves this to the next one.
    director.put(lambda tx: meta.put(tx.write(), "boot", boot))
    director.put(partial(_tell_again, director, {calls[call_id][0] for call_id in found.running}))
    for task_id, name, deadline in children.deadlines(database.writer):
        director.arm(deadline, task_id, name)
    if calls:
        log.info(
            "recovered %d steps: %d still run, %d have ended, %d never began or are unknown",
            len(calls),
            len(found.running),
            len(found.ended),
            len(calls) - len(found.running) - len(found.ended),
        )


def _limit(
    database: Database, director: Director, pool: Pool, call_id: int, task_id: int, name: str
) -> None:
    """A step that goes on has what is left of its time; a command's supervisor sees to it alone."""
    task = tasks.get(database.writer, task_id)
    known = director.starter.catalog.step_of(task, name)
    begun = task.steps[name].started_at
    if known and known.timeout is not None and begun:
        passed = (datetime.now(UTC) - begun).total_seconds()
        pool.hosts.limit(call_id, max(0.0, known.timeout - passed), known.timeout)


def _tell_again(director: Director, task_ids: Iterable[int], tx: Transaction) -> None:
    """The daemon may have died before it told what is to end."""
    tasks = [tx.get(task_id) for task_id in task_ids]
    director.tell_to_end(tx, [task for task in tasks if task.cancelling])
    director.kill(tx, tasks)


def _unheard_of(same_boot: bool) -> Outcome:
    """No folder of a host or command knows the call.

    While the machine has not gone down, what hosts wrote of themselves is complete, so the call
    never began. After a crash of the machine it may have been lost with the page cache.
    """
    if same_boot:
        return NeverRan()
    return Interrupted("the machine went down")
