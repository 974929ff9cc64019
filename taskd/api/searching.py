"""What a caller's search and order mean to the store."""

import json
from datetime import UTC, datetime

from taskd.api.access import Caller
from taskd.api.references import resolve
from taskd.engine.engine import Engine
from taskd.model.errors import InvalidInput, NoMatch
from taskd.model.task import Task
from taskd.model.wall import zone_of
from taskd.search.asker import SAVED, Asker
from taskd.search.condition import condition
from taskd.search.order import Order
from taskd.search.parser import parse
from taskd.search.sql import Sql
from taskd.search.values import MAX_WHOLE
from taskd.store import listing
from taskd.store.listing import Place
from taskd.store.transaction import Transaction


def asker_of(engine: Engine, caller: Caller) -> Asker:
    """Raises InvalidInput for a time zone that the daemon does not know."""
    saved = {**SAVED, **engine.settings.searches}
    return Asker(caller.user, caller.uid, datetime.now(UTC), zone_of(caller.zone), saved)


def where(search: str, asker: Asker) -> Sql:
    """Raises QueryError."""
    return condition(parse(search, asker), asker)


def chosen(tx: Transaction, engine: Engine, caller: Caller, task: int | str, search: str) -> Task:
    """The task to act on. Raises NoMatch when `search` does not mean it, or not any more."""
    task_id = resolve(tx.connection, caller, task)
    if search.strip():
        tx.flush()  # what others changed in this commit counts
        if not listing.holds(tx.connection, where(search, asker_of(engine, caller)), task_id):
            raise NoMatch(f"task {task_id} does not match any more")
    return tx.get(task_id)


def read_place(text: str, order: Order) -> Place | None:
    """As `write_place` gives it: `42`, or `["Blog", 42]`. Raises InvalidInput."""
    if not text:
        return None
    match _json(text):
        case int(task_id) if order.name == "id" and task_id <= MAX_WHOLE:
            return Place(task_id, task_id)
        case [str() | int() | float() | None as value, int(task_id)] if task_id <= MAX_WHOLE:
            return Place(value, task_id)
    raise InvalidInput(f"cannot go on after {text[:50]!r}: expected what the page before gave")


def write_place(place: Place | None, order: Order) -> str:
    if place is None:
        return ""
    value = place.task_id if order.name == "id" else [place.value, place.task_id]
    return json.dumps(value)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
