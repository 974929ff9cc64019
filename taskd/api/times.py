"""When a caller wants a task to begin."""

from datetime import datetime

from taskd.api.access import Caller
from taskd.api.references import resolve
from taskd.api.searching import asker_of
from taskd.engine.creating import Order
from taskd.engine.engine import Engine
from taskd.engine.when import AT_ONCE, When
from taskd.model.errors import InvalidInput
from taskd.search.asker import Asker
from taskd.search.times import read_start
from taskd.store.transaction import Transaction


def when(tx: Transaction, engine: Engine, caller: Caller, order: Order) -> When:
    """Raises InvalidInput, or NotFound for `@last`."""
    if not order.keys() & {"at", "before", "after"}:
        return AT_ONCE
    asker = asker_of(engine, caller)
    after = [resolve(tx.connection, caller, task) for task in order.get("after", ())]
    wanted = When(
        read("--at", order.get("at"), asker),
        read("--before", order.get("before"), asker),
        tuple(dict.fromkeys(after)),
    )
    wanted.check(tx)
    return wanted


def read(what: str, text: str | None, asker: Asker) -> datetime | None:
    """A time to come. Raises InvalidInput."""
    if text is None:
        return None
    try:
        return read_start(text, asker)
    except ValueError as error:
        raise InvalidInput(
            f"{what}: cannot read {text[:50]!r} as a time: {error}",
            hint="as in 02:30, tomorrow, 3h or '2030-01-31 02:30'",
        ) from None
