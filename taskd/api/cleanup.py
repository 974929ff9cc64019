"""Cleaning up: delete old tasks by a search or by the configuration, how far that is, and when."""

from datetime import timedelta
from functools import partial
from typing import Any

from taskd.api.access import Caller, Permission
from taskd.api.methods import NOT_YET, Reply, errand
from taskd.api.searching import asker_of
from taskd.cleaning import STOPPED, read_states
from taskd.engine.cleanup import BATCH, Cleanup, Order
from taskd.engine.cleanup_parts import Part, of_search
from taskd.engine.engine import Engine
from taskd.model.errors import InvalidInput
from taskd.model.interval import parse_period

MAX_BATCH = 100_000
POLL_SECONDS = 0.05


@errand(Permission.CLEANUP)
def run(
    engine: Engine,
    caller: Caller,
    reply: Reply,
    search: str | None = None,
    after: str | None = None,
    states: list[str] | None = None,
    noop: bool = False,
    batch_size: int = BATCH,
    backup: bool | None = None,
) -> object:
    """Delete tasks for good; answered when it is over. It stops when the client goes.

    What `search` means, in `states` (by default stopped), and older than `after`; without a search
    what the configuration says. `noop`: only say what it would be. `backup`: keep what is deleted,
    as the configuration says by default.
    """
    if not 0 < batch_size <= MAX_BATCH:
        raise InvalidInput(f"batch size {batch_size} is not between 1 and {MAX_BATCH}")
    parts = _parts(engine, caller, search, after, states)
    rules = engine.cleaner.rules.backup
    keep = rules.enabled if backup is None else backup
    order = Order(parts, caller.user, noop, batch_size, rules if keep else None)
    cleanup = engine.cleaner.begin(order)
    reply.when_gone(cleanup.stop)
    return _outcome(cleanup, reply)


def _parts(
    engine: Engine, caller: Caller, search: str | None, after: str | None, states: list[str] | None
) -> list[Part]:
    if search is None:
        if after is not None or states is not None:
            raise InvalidInput(
                "after and states are for a search: without one, the rules have both"
            )
        return engine.cleaner.parts()
    if not search.strip():
        raise InvalidInput(
            "a search without a condition means all tasks; say so: --search 'id > 0'"
        )
    age = timedelta(0) if after is None else parse_period(after)
    wanted = STOPPED if states is None else read_states(states)
    return of_search(search, age, wanted, asker_of(engine, caller))


def _outcome(cleanup: Cleanup, reply: Reply) -> object:
    if cleanup.done:
        return cleanup.report()
    reply.retry(POLL_SECONDS, partial(_outcome, cleanup, reply))
    return NOT_YET


@errand(Permission.CLEANUP)
def progress(engine: Engine) -> dict[str, int]:
    """How far the cleanup is that deletes just now: tasks."""
    cleanup = engine.cleaner.at_work
    parts = cleanup.parts if cleanup else []
    return {
        "matched": sum(part.matched for part in parts),
        "deleted": sum(part.deleted for part in parts),
    }


@errand(Permission.CLEANUP)
def config(engine: Engine) -> dict[str, Any]:
    """What a cleanup without a search deletes, in its order; how that is kept."""
    rules = engine.cleaner.rules
    parts = [
        {
            "name": part.name,
            "after": part.after.total_seconds(),
            "states": list(part.states),
            "filter": part.meant,
        }
        for part in engine.cleaner.parts()
    ]
    backup = rules.backup
    return {
        "daily": rules.daily,
        "parts": parts,
        "backup": {
            "enabled": backup.enabled,
            "keep": backup.keep.total_seconds(),
            "max_size": backup.max_size,
            "folder": str(engine.places.backups),
        },
    }
