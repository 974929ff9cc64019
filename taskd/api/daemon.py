"""The daemon itself: status, reload, drain, stop."""

import os
import time

from taskd.api.access import Caller, Permission
from taskd.api.methods import NOT_YET, Reply, command, errand
from taskd.engine.engine import Engine, Order
from taskd.model.step import JSON
from taskd.store import tasks
from taskd.store.transaction import Transaction
from taskd.version import VERSION


@errand(Permission.VIEW_TASKS)
def status(engine: Engine) -> dict[str, JSON]:
    with engine.database.snapshot() as connection:
        by_state = tasks.count_by_state(connection)
    return {
        "state": _state(engine),
        "note": engine.note,
        "version": VERSION,
        "pid": os.getpid(),
        "uptime": time.monotonic() - engine.started,
        "state_dir": str(engine.places.state),
        "socket": str(engine.places.socket),
        "slots": engine.pool.slots,
        "running_steps": engine.director.calls_out,
        "tasks": by_state,
        "actions": len(engine.catalog.definitions),
        "broken_actions": len(engine.catalog.broken),
    }


def _state(engine: Engine) -> str:
    if engine.director.trouble.note:
        return "disk full" if engine.director.trouble.full else "store not written"
    if engine.director.starting:
        return "drained" if engine.director.drained else "running"
    return "safe mode" if engine.safe_mode else "stopping"


@errand(Permission.ADMIN)
def reload(engine: Engine) -> dict[str, JSON]:
    """Read the configuration and all actions again."""
    engine.reload()
    return {"actions": len(engine.catalog.definitions), "broken": len(engine.catalog.broken)}


@command(Permission.ADMIN)
def drain(tx: Transaction, engine: Engine, caller: Caller) -> dict[str, JSON]:
    """Start no step any more, also after a restart; what runs goes on."""
    if not engine.director.drained:
        engine.director.drain(tx, f"since {tx.now:%Y-%m-%d %H:%M:%S} UTC by {caller.user}")
    return {"running_steps": engine.director.calls_out}


@command(Permission.ADMIN)
def undrain(tx: Transaction, engine: Engine) -> dict[str, JSON]:
    """Start steps again."""
    was = bool(engine.director.drained)
    engine.director.drain(tx, "")
    return {"was_drained": was}


@errand(Permission.ADMIN)
def stop(engine: Engine, reply: Reply, wait: bool = False) -> object:
    """Stop the daemon; with `wait` after the running steps, and answered then.

    `running_steps`: how many of them outlive it.
    """
    if wait:
        engine.farewells.append(reply.answer)
    engine.orders.put(Order.STOP_AFTER_STEPS if wait else Order.STOP)
    return NOT_YET if wait else {"running_steps": engine.director.calls_out}
