"""Recurring logics: start, find, get, cancel, disable, enable, delete, preview."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Unpack

from taskd import cron, wire
from taskd.api.access import Caller, Permission
from taskd.api.methods import command, errand, query
from taskd.api.references import MAX_DIGITS
from taskd.api.searching import asker_of
from taskd.api.tasks import NOTHING, command_definition
from taskd.api.times import read
from taskd.catalog import child
from taskd.catalog.inputs import read_input
from taskd.engine import secrets
from taskd.engine.creating import Order
from taskd.engine.director import Undone
from taskd.engine.engine import Engine
from taskd.local_zone import local_zone
from taskd.model import recurring as rules
from taskd.model.definition import Definition
from taskd.model.errors import InvalidInput, InvalidState
from taskd.model.page import Page
from taskd.model.record import replace
from taskd.model.recurring import LogicState, Missed, Overlap, RecurringLogic
from taskd.model.step import JSON
from taskd.model.wall import zone_of
from taskd.search.condition import condition
from taskd.search.fields import LOGICS
from taskd.search.parser import parse
from taskd.search.values import MAX_WHOLE
from taskd.store import recurring as store
from taskd.store.database import Connection
from taskd.store.patience import limited
from taskd.store.transaction import Transaction

MAX_PAGE = 1000
MAX_PREVIEW = 1000
MODES = {
    "cron": cron.read_line,
    "hourly": cron.hourly,
    "daily": cron.daily,
    "weekly": cron.weekly,
    "monthly": cron.monthly,
}
REPEAT = (*MODES, "tz", "until", "limit", "purpose", "missed", "overlap")
ONCE_ONLY = ("before", "after", "key")  # parts of an order that mean one task


@command(Permission.CREATE_TASKS, fresh=True)
def start(
    tx: Transaction,
    engine: Engine,
    caller: Caller,
    action: str,
    repeat: dict[str, Any],
    input: dict[str, JSON] = NOTHING,
    words: dict[str, str] = NOTHING,
    noop: bool = False,
    **order: Unpack[Order],
) -> RecurringLogic:
    """Start tasks of a known action again and again. `noop`: only say what would be."""
    definition = engine.catalog.get(action)
    return _start(tx, engine, caller, definition, input, words, repeat, order, noop=noop)


@errand(Permission.CREATE_TASKS)
def start_definition(
    engine: Engine,
    caller: Caller,
    text: str,
    file: str,
    repeat: dict[str, Any],
    input: dict[str, JSON] = NOTHING,
    words: dict[str, str] = NOTHING,
    noop: bool = False,
    **order: Unpack[Order],
) -> RecurringLogic:
    """Start tasks of a YAML definition, which is kept, again and again."""
    definition = child.compile_text(text, file)
    return _start_kept(engine, caller, definition, input, words, repeat, order, noop=noop)


@errand(Permission.CREATE_TASKS)
def exec(
    engine: Engine,
    caller: Caller,
    command: str | list[str],
    cwd: str,
    environment: dict[str, str],
    repeat: dict[str, Any],
    rescue: str = "pause",
    retry: int = 0,
    time_limit: float | None = None,
    noop: bool = False,
    **order: Unpack[Order],
) -> RecurringLogic:
    """Start a command again and again."""
    definition = command_definition(command, cwd, environment, rescue, retry, time_limit)
    return _start_kept(engine, caller, definition, {}, {}, repeat, order, noop=noop)


def _start_kept(
    engine: Engine,
    caller: Caller,
    definition: Definition,
    input: dict[str, JSON],
    words: dict[str, str],
    repeat: dict[str, Any],
    order: Order,
    *,
    noop: bool,
) -> RecurringLogic:
    kept = wire.encode(definition)
    return engine.director.do(
        lambda tx: _start(
            tx, engine, caller, definition, input, words, repeat, order, noop=noop, kept=kept
        )
    )


def _start(
    tx: Transaction,
    engine: Engine,
    caller: Caller,
    definition: Definition,
    input: dict[str, JSON],
    words: dict[str, str],
    repeat: dict[str, Any],
    order: Order,
    *,
    noop: bool,
    kept: JSON = None,
) -> RecurringLogic:
    _check(repeat, order)
    asker = asker_of(engine, caller)
    line = _line(repeat)
    begin = read("--at", order.get("at"), asker) or tx.now
    until = read("--until", repeat.get("until"), asker)
    zone = repeat.get("tz") or _own_zone()
    first = line.next_from(max(begin, tx.now), zone_of(zone))
    _check_first(first, until, begin, tx.now)
    _check_purpose(tx, repeat.get("purpose"))
    values = read_input(definition, input, words)
    given = {name: values[name] for name in values if name in input or name in words}
    hidden = {f.name: given[f.name] for f in definition.fields if f.secret and f.name in given}
    logic = RecurringLogic(
        id=0,
        label=definition.label,
        name=order.get("name") or definition.label,
        cron_line=line.line,
        timezone=zone,
        state=LogicState.ACTIVE,
        purpose=repeat.get("purpose"),
        iteration=0,
        iteration_limit=repeat.get("limit"),
        until=until,
        missed=Missed(repeat.get("missed", Missed.ONCE)),
        overlap=Overlap(repeat.get("overlap", Overlap.SKIP)),
        user=caller.user,
        uid=caller.uid,
        created_at=tx.now,
        last_occurrence=None,
        next_occurrence=first,
        reason="",
        task_id=None,
        input=given | dict.fromkeys(hidden, secrets.HIDDEN),
        definition=kept,
        order={name: value for name, value in order.items() if name != "at"},
    )
    assert first
    made = engine.starter.recurring.start(tx, logic, first, hidden)
    if noop and hidden:  # they are files, which are not undone
        for owner in (secrets.of_logic(made.id), made.task_id or 0):
            secrets.remove(engine.places.secrets, owner)
    return _unless(noop, replace(made, id=0, task_id=None) if noop else made)


def _own_zone() -> str:
    """Of the daemon. Raises InvalidInput where its changes of clocks are not known."""
    zone = local_zone()
    if zone[:1] in "+-":
        raise InvalidInput(
            f"the daemon's time zone has no name, only an offset, {zone}",
            hint="say which is meant, as in --tz Europe/Berlin",
        )
    return zone


def _check(repeat: Mapping[str, Any], order: Order) -> None:
    """Raises InvalidInput."""
    if unknown := repeat.keys() - set(REPEAT):
        raise InvalidInput(f"repeat: unknown {', '.join(sorted(unknown))}")
    for name in repeat.keys() - {"limit"}:
        if not isinstance(repeat[name], str) or not repeat[name].strip():
            raise InvalidInput(f"--{name} is empty, or no text")
    if once := [name for name in ONCE_ONLY if name in order]:
        raise InvalidInput(f"--{once[0]} is for one task, not for a recurring logic")
    limit = repeat.get("limit", 1)
    if type(limit) is not int or limit < 1:
        raise InvalidInput(f"--limit {limit} allows no run: expected a number from 1 on")
    if limit > MAX_WHOLE:
        raise InvalidInput(f"--limit {limit} is too large: without it there is no limit")
    for name, kind in (("missed", Missed), ("overlap", Overlap)):
        if name in repeat and repeat[name] not in list(kind):
            raise InvalidInput(f"--{name} {repeat[name]!r} is none of {', '.join(kind)}")


def _line(repeat: Mapping[str, Any]) -> cron.Cron:
    modes = [mode for mode in MODES if mode in repeat]
    if len(modes) != 1:
        names = ", ".join(f"--{mode}" for mode in MODES)
        raise InvalidInput(f"expected one of {names}")
    return MODES[modes[0]](repeat[modes[0]])


def _check_first(
    first: datetime | None, until: datetime | None, begin: datetime, now: datetime
) -> None:
    if begin < now:
        raise InvalidInput("--at: that is in the past")
    if first is None:
        raise InvalidInput("it never fires")
    if until and until < first:
        told = f"{first.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        raise InvalidInput(f"--until is before the first time, {told}")


def _check_purpose(tx: Transaction, purpose: str | None) -> None:
    if purpose and (taken := store.with_purpose(tx.connection, purpose)):
        raise InvalidState(
            f"the purpose {purpose!r} is that of recurring logic {taken}",
            hint=f"taskctl recurring show {taken}",
        )


@query(Permission.VIEW_TASKS)
def find(
    connection: Connection,
    engine: Engine,
    caller: Caller,
    search: str = "",
    limit: int = MAX_PAGE,
    after: str = "",
) -> Page[RecurringLogic]:
    """Those that `search` means, the newest first. `after` is that of the page before."""
    if not 0 < limit <= MAX_PAGE:
        raise InvalidInput(f"limit {limit} is not between 1 and {MAX_PAGE}")
    if after and not (after.isascii() and after.isdecimal() and len(after) < MAX_DIGITS):
        raise InvalidInput(f"cannot go on after {after[:50]!r}: expected what the page before gave")
    asker = replace(asker_of(engine, caller), vocabulary=LOGICS, saved={})
    where = condition(parse(search, asker), asker)
    with limited(connection):
        items = store.find(connection, where, limit, int(after or 0))
        total = None if after else store.count(connection, where)
    last = str(items[-1].id) if len(items) == limit else ""
    return Page(items, total, more=False, after=last)


@query(Permission.VIEW_TASKS)
def get(connection: Connection, logic_id: int) -> RecurringLogic:
    """One of them with its history."""
    return store.get_full(connection, logic_id)


@command(Permission.EDIT_TASKS)
def cancel(
    tx: Transaction, engine: Engine, caller: Caller, logic_id: int, noop: bool = False
) -> RecurringLogic:
    """No further run; those that have not stopped are cancelled."""
    logic = store.get(tx.connection, logic_id)
    return _unless(noop, engine.starter.recurring.cancel(tx, logic, caller.user))


@command(Permission.EDIT_TASKS)
def disable(
    tx: Transaction, engine: Engine, caller: Caller, logic_id: int, noop: bool = False
) -> RecurringLogic:
    """No run until it is enabled; what runs goes on."""
    logic = store.get(tx.connection, logic_id)
    return _unless(noop, engine.starter.recurring.disable(tx, logic, caller.user))


@command(Permission.EDIT_TASKS, fresh=True)
def enable(
    tx: Transaction, engine: Engine, caller: Caller, logic_id: int, noop: bool = False
) -> RecurringLogic:
    """The next run is at the next time from now on."""
    logic = store.get(tx.connection, logic_id)
    return _unless(noop, engine.starter.recurring.enable(tx, logic, caller.user))


@command(Permission.EDIT_TASKS)
def delete(tx: Transaction, logic_id: int, noop: bool = False) -> RecurringLogic:
    """One that has ended; its tasks stay."""
    logic = store.get(tx.connection, logic_id)
    rules.check_deletion(logic)
    store.delete(tx.write(), logic_id)
    return _unless(noop, logic)


def _unless(noop: bool, logic: RecurringLogic) -> RecurringLogic:
    """What was changed; by `noop` that is undone."""
    if noop:
        raise Undone(logic)
    return logic


@errand(Permission.VIEW_TASKS)
def preview(
    engine: Engine,
    caller: Caller,
    line: str,
    tz: str = "",
    begin: str = "",
    count: int = 5,
) -> dict[str, Any]:
    """The next times of a cron line, and what is odd about them. `tz`: else the daemon's."""
    if not 0 < count <= MAX_PREVIEW:
        raise InvalidInput(f"count {count} is not between 1 and {MAX_PREVIEW}")
    name = tz or local_zone()
    zone, read_line = zone_of(name), cron.read_line(line)
    asker = asker_of(engine, caller)
    at = read_line.next_from(read("--at", begin or None, asker) or asker.now, zone)
    times: list[dict[str, Any]] = []
    while at is not None and len(times) < count:
        times.append({"at": at, "note": read_line.note(at, zone)})
        at = read_line.next(at, zone)
    return {"cron_line": read_line.line, "timezone": name, "times": times}
