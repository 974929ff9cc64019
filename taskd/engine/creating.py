"""A request becomes a task that waits for its plan."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypedDict

from taskd.catalog.inputs import read_input
from taskd.engine import secrets
from taskd.engine.when import AT_ONCE, When, wait_for
from taskd.model import lifecycle
from taskd.model.definition import Definition
from taskd.model.errors import InvalidInput
from taskd.model.lock import Lock, link, parse_lock
from taskd.model.record import replace
from taskd.model.step import JSON
from taskd.model.task import MAX_NAME, ExecutionType, OnConflict, Result, State, Task
from taskd.places import Places
from taskd.store.transaction import Transaction

_LONG_AGO = datetime.fromtimestamp(0, UTC)
_NEW = Task(  # what every new task has; the rest is replaced
    id=0,
    label="",
    name="",
    state=State.PLANNED,
    result=Result.PENDING,
    user="",
    execution_type=ExecutionType.IMMEDIATE,
    type="",
    priority=0,
    key=None,
    created_at=_LONG_AGO,
    start_at=_LONG_AGO,
    start_before=None,
    started_at=None,
    ended_at=None,
    state_updated_at=_LONG_AGO,
    progress=0.0,
    parent_task_id=None,
    recurring_logic_id=None,
    external_id=None,
)


class Order(TypedDict, total=False):
    """What may be asked for beside the action and its input. `locks` and `links` are texts, as are
    the times `at` and `before`, which are the caller's: `create` takes them and `after` as `When`.
    """

    name: str | None
    locks: list[str]
    links: list[str]
    key: str | None
    priority: int
    on_conflict: str | None
    at: str | None
    before: str | None
    after: list[int | str]


def create(
    tx: Transaction,
    places: Places,
    definition: Definition,
    input: Mapping[str, JSON],
    words: Mapping[str, str],
    order: Order,
    user: str,
    uid: int,
    *,
    keep: JSON = None,
    parent: int | None = None,
    held: bool = False,
    when: When = AT_ONCE,
    logic: int | None = None,
) -> Task:
    """The new task, or the one that has the same key. `keep` is the definition to keep with it;
    `held`: it is a sub-task that waits for others. `logic`: the recurring one that it is a run of.

    Raises InvalidInput, naming all that is wrong with the input.
    """
    key = _text("key", order.get("key"))
    if key is not None and (known := tx.with_key(uid, key)):
        return tx.get(known)
    values = read_input(definition, input, words)
    hidden = {f.name: values[f.name] for f in definition.fields if f.secret and f.name in values}
    task = replace(
        _NEW,
        state=State.SCHEDULED if held or when.delays else State.PLANNED,
        execution_type=_execution_type(when, logic),
        recurring_logic_id=logic,
        label=definition.label,
        name=_text("name", order.get("name")) or definition.label,
        user=user,
        uid=uid,
        type=definition.type,
        priority=_priority(order.get("priority", 0)),
        key=key,
        created_at=tx.now,
        start_at=when.at or tx.now,
        start_before=when.before,
        expires_at=when.before,
        state_updated_at=tx.now,
        input=values | dict.fromkeys(hidden, secrets.HIDDEN) if hidden else values,
        definition=keep,
        wanted_locks=_locks(order),
        on_conflict=_on_conflict(order.get("on_conflict"), definition),
        parent_task_id=parent,
    )
    task = tx.add(lifecycle.create(task, tx.now, when.at))
    if hidden:
        secrets.write(places.secrets, task.id, hidden)
    return wait_for(tx, task, when.after) if when.after else task


def _execution_type(when: When, logic: int | None) -> ExecutionType:
    if logic is not None:
        return ExecutionType.RECURRING
    return ExecutionType.DELAYED if when.delays else ExecutionType.IMMEDIATE


def _locks(order: Order) -> tuple[Lock, ...]:
    return (*map(parse_lock, order.get("locks", ())), *map(link, order.get("links", ())))


def _on_conflict(asked: str | None, definition: Definition) -> OnConflict:
    if asked is None:
        return definition.on_conflict
    if asked not in list(OnConflict):
        raise InvalidInput(f"on_conflict {asked!r} is none of {', '.join(OnConflict)}")
    return OnConflict(asked)


def _text(what: str, value: str | None) -> str | None:
    if value is None:
        return None
    if not value.strip() or len(value) > MAX_NAME:
        raise InvalidInput(f"{what} must have 1 to {MAX_NAME} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{what} holds half of a surrogate pair, which is no text") from None
    return value


def _priority(value: int) -> int:
    if not -1_000_000 <= value <= 1_000_000:
        raise InvalidInput(f"priority {value} is not between -1000000 and 1000000")
    return value
