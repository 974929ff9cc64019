"""Tasks: start, find, get, wait, resume, skip, cancel, unlock."""

from functools import partial
from typing import Any, TypeAlias, Unpack

from taskd import wire
from taskd.actions.retries import check_retry
from taskd.api.access import Caller, Permission
from taskd.api.methods import METHODS, NOT_YET, Reply, command, errand, query, waiting
from taskd.api.references import resolve
from taskd.api.searching import asker_of, chosen, read_place, where, write_place
from taskd.api.times import when
from taskd.catalog import child
from taskd.engine import conflicts, family, unlocking
from taskd.engine.creating import Order, create
from taskd.engine.director import Undone
from taskd.engine.engine import Engine
from taskd.engine.locking import Conflict
from taskd.engine.watchers import Watcher
from taskd.model import lifecycle
from taskd.model.definition import Command, Definition, Retry, StepDefinition
from taskd.model.errors import Forbidden, InvalidInput
from taskd.model.interval import parse_interval
from taskd.model.page import Page
from taskd.model.record import replace
from taskd.model.step import JSON, Rescue
from taskd.model.suggestion import Suggestion
from taskd.model.task import Task
from taskd.search import complete as completing
from taskd.search.condition import condition
from taskd.search.order import read_order
from taskd.search.parser import parse
from taskd.search.resolved import resolved
from taskd.search.sql import Sql
from taskd.store import listing, usage
from taskd.store.database import Connection
from taskd.store.patience import limited
from taskd.store.transaction import Transaction

MAX_PAGE = 1000
COUNTED = 10_000
NOTHING: dict[str, Any] = {}

Brief: TypeAlias = dict[str, Any]  # a task without its steps, locks, input and output


@command(Permission.CREATE_TASKS, fresh=True)
def start(
    tx: Transaction,
    engine: Engine,
    caller: Caller,
    action: str,
    input: dict[str, JSON] = NOTHING,
    words: dict[str, str] = NOTHING,
    **order: Unpack[Order],
) -> Brief:
    """Start a task of a known action."""
    task = create(
        tx,
        engine.places,
        engine.catalog.get(action),
        input,
        words,
        order,
        caller.user,
        caller.uid,
        when=when(tx, engine, caller, order),
    )
    return task.brief()


@command(Permission.CREATE_TASKS, fresh=True)
def start_many(
    tx: Transaction, engine: Engine, caller: Caller, requests: list[dict[str, Any]]
) -> list[int]:
    """Start many tasks, all or none."""
    method = METHODS["tasks.start"]
    for number, request in enumerate(requests):
        if not isinstance(request, dict):
            raise InvalidInput(f"request {number} is no object")
        method.check(request)
    return [start(tx, engine, caller, **request)["id"] for request in requests]


@errand(Permission.CREATE_TASKS)
def start_definition(
    engine: Engine,
    caller: Caller,
    text: str,
    file: str,
    input: dict[str, JSON] = NOTHING,
    words: dict[str, str] = NOTHING,
    **order: Unpack[Order],
) -> Brief:
    """Start a task of a YAML definition, which is kept with it."""
    definition = child.compile_text(text, file)
    return _start_kept(engine, caller, definition, input, words, order)


@errand(Permission.CREATE_TASKS)
def exec(
    engine: Engine,
    caller: Caller,
    command: str | list[str],
    cwd: str,
    environment: dict[str, str],
    rescue: str = "pause",
    retry: int = 0,
    time_limit: float | None = None,
    **order: Unpack[Order],
) -> Brief:
    """Start a command as a task: a line for /bin/sh, or a list of arguments."""
    definition = command_definition(command, cwd, environment, rescue, retry, time_limit)
    return _start_kept(engine, caller, definition, {}, {}, order)


def command_definition(
    command: str | list[str],
    cwd: str,
    environment: dict[str, str],
    rescue: str,
    retry: int,
    time_limit: float | None,
) -> Definition:
    """What such a task is. Raises InvalidInput."""
    if not command or not all(isinstance(word, str) for word in command):
        raise InvalidInput("the command must be a line, or a list of words")
    try:
        again = check_retry(Retry(times=retry))
    except ValueError as error:
        raise InvalidInput(f"retry {retry}: {error}") from None
    if time_limit is not None and not parse_interval(time_limit):
        raise InvalidInput("a time limit of 0 s leaves no time")
    if rescue not in list(Rescue):
        raise InvalidInput(f"rescue {rescue!r} is none of {', '.join(Rescue)}")
    line, words = (command, []) if isinstance(command, str) else ("", command)
    shown = line or " ".join(words)
    return Definition(
        label="shell",
        type="shell",
        title=shown.replace("{", "{{").replace("}", "}}")[:200],
        flow=["sequence", "run"],
        rescue=Rescue(rescue),
        steps=(
            StepDefinition(
                name="run",
                command=Command(line, tuple(words), cwd, environment),
                retry=again,
                timeout=time_limit,
            ),
        ),
    )


def _start_kept(
    engine: Engine,
    caller: Caller,
    definition: Definition,
    input: dict[str, JSON],
    words: dict[str, str],
    order: Order,
) -> Brief:
    kept = wire.encode(definition)
    return engine.director.do(
        lambda tx: create(
            tx,
            engine.places,
            definition,
            input,
            words,
            order,
            caller.user,
            caller.uid,
            keep=kept,
            when=when(tx, engine, caller, order),
        ).brief()
    )


@query(Permission.VIEW_TASKS)
def find(
    connection: Connection,
    engine: Engine,
    caller: Caller,
    search: str = "",
    order: str = "",
    limit: int = 20,
    after: str = "",
    full: bool = False,
) -> Page[Brief] | Page[Task]:
    """Tasks that `search` means, a page at a time; `after` is that of the page before.

    Only the first page has a `total`.
    """
    if not 0 < limit <= MAX_PAGE:
        raise InvalidInput(f"limit {limit} is not between 1 and {MAX_PAGE}")
    asker = asker_of(engine, caller)
    sorting, meant = read_order(order), where(search, asker)
    place = read_place(after, sorting)
    with limited(connection):
        found, last = listing.find_page(connection, meant, sorting, place, limit, asker.now)
        total = None if place else _count(connection, meant, found, limit)
    items: list[Any] = [
        conflicts.get_full(connection, task.id) if full else task.brief() for task in found
    ]
    return Page(items, total, more=total is None, after=write_place(last, sorting))


def _count(connection: Connection, meant: Sql, found: list[Task], limit: int) -> int | None:
    """Of a list that begins with these."""
    return len(found) if len(found) < limit else listing.count(connection, meant, COUNTED)


@query(Permission.VIEW_TASKS)
def count(connection: Connection, engine: Engine, caller: Caller, search: str = "") -> int:
    """How many tasks `search` means."""
    with limited(connection):
        return listing.count(connection, where(search, asker_of(engine, caller))) or 0


@query(Permission.VIEW_TASKS)
def explain(
    connection: Connection, engine: Engine, caller: Caller, search: str = "", order: str = ""
) -> dict[str, Any]:
    """How `search` is read, with its times, and how SQLite looks it up."""
    asker = asker_of(engine, caller)
    node, sorting = parse(search, asker), read_order(order)
    plan = listing.explain(connection, condition(node, asker), sorting, asker.now)
    return {"query": str(resolved(node, asker)), "order": str(sorting), "plan": plan}


@query(Permission.VIEW_TASKS)
def complete(
    connection: Connection, engine: Engine, caller: Caller, search: str
) -> list[Suggestion]:
    """What `search`, a query up to the cursor, may become."""
    with limited(connection):
        return completing.complete(
            search, asker_of(engine, caller), partial(usage.most_used, connection)
        )


@query(Permission.VIEW_TASKS)
def get(connection: Connection, caller: Caller, task_id: int | str) -> Task:
    """One task with all that is known of it."""
    return conflicts.get_full(connection, resolve(connection, caller, task_id))


@waiting(Permission.VIEW_TASKS)
def wait(
    tx: Transaction,
    engine: Engine,
    caller: Caller,
    reply: Reply,
    task_id: int | str,
    timeout: float,
) -> Task | object:
    """The task once it rests, or as it is after `timeout` seconds."""
    return _wait(tx, engine, reply, resolve(tx.connection, caller, task_id), None, timeout)


@waiting(Permission.VIEW_TASKS)
def watch(
    tx: Transaction,
    engine: Engine,
    caller: Caller,
    reply: Reply,
    task_id: int | str,
    seen: int,
    timeout: float,
) -> Task | object:
    """The task once its version is above `seen`, or as it is after `timeout` seconds."""
    return _wait(tx, engine, reply, resolve(tx.connection, caller, task_id), seen, timeout)


def _wait(
    tx: Transaction, engine: Engine, reply: Reply, task_id: int, seen: int | None, timeout: float
) -> Task | object:
    director = engine.director
    watcher = Watcher(
        task_id, seen, lambda task: reply.answer(conflicts.explain(tx.connection, task))
    )
    task = tx.get(task_id)
    if watcher.is_content_with(task):
        return conflicts.explain(tx.connection, task)

    def give_up(later: Transaction) -> None:
        if director.watchers.remove(watcher):
            watcher.answer(later.get(task_id))

    def begin() -> None:
        director.watchers.add(watcher)
        reply.when_gone(lambda: director.watchers.remove(watcher))
        reply.later(max(0.0, min(timeout, 3600.0)), lambda: director.put(give_up))

    tx.after_commit.append(begin)
    return NOT_YET


@command(Permission.EDIT_TASKS, fresh=True)
def resume(
    tx: Transaction,
    engine: Engine,
    caller: Caller,
    task_id: int | str,
    secrets: dict[str, str] = NOTHING,
    search: str = "",
    noop: bool = False,
) -> Brief:
    """Resume a task that is paused, or was unlocked, from the step that failed.

    `secrets` take the place of those that it has, or had. `search`: only if that means the task.
    `noop`: the task as it is, if it could be resumed.
    """
    task = chosen(tx, engine, caller, task_id, search)
    resumed = unlocking.resume(
        tx, engine.catalog, engine.places, task, caller.user, secrets, noop=noop
    )
    if isinstance(resumed, Conflict):
        raise conflicts.refusal(tx, task, resumed)
    if noop:
        raise Undone(task.brief())
    return tx.save(resumed).brief()


@command(Permission.EDIT_TASKS, fresh=True)
def skip(
    tx: Transaction,
    engine: Engine,
    caller: Caller,
    task_id: int | str,
    steps: list[str] | None = None,
    search: str = "",
    noop: bool = False,
) -> Task:
    """Go on without failed steps of a paused task: all, or those named.

    `noop`: the task as it is, if they could be skipped.
    """
    if steps == []:
        raise InvalidInput("no step is named; without `steps`, all that failed are skipped")
    task = chosen(tx, engine, caller, task_id, search)
    skipped = family.skip(tx, task, steps, caller.user)
    return task if noop else tx.save(skipped)


@command(Permission.EDIT_TASKS)
def cancel(
    tx: Transaction,
    engine: Engine,
    caller: Caller,
    task_id: int | str,
    force: bool = False,
    search: str = "",
    noop: bool = False,
) -> Brief:
    """Cancel a task; what runs of it is told, and ended after its grace, or at once by `force`.

    `noop`: the task as it is, if it could be cancelled.
    """
    task = chosen(tx, engine, caller, task_id, search)
    cancelled = family.cancel(tx, engine.catalog, task, caller.user)
    if noop:
        raise Undone(task.brief())
    engine.director.tell_to_end(tx, cancelled, force=force)
    return cancelled[0].brief()


@waiting(Permission.EDIT_TASKS)
def unlock(
    tx: Transaction,
    engine: Engine,
    caller: Caller,
    reply: Reply,
    task_id: int | str,
    force: bool = False,
    reason: str = "",
    noop: bool = False,
    search: str = "",
) -> Task | object:
    """Stop a paused task or, by `force`, any that is not stopped, and so free its locks.

    Answered when what ran of it is dead. `noop`: the task as it is, if it could be unlocked, with
    the locks of its sub-tasks.
    """
    task = chosen(tx, engine, caller, task_id, search)
    if not engine.settings.allow_dangerous_actions:
        raise Forbidden(
            f"cannot unlock task {task.id}: the setting allow_dangerous_actions is off",
            hint="write `allow_dangerous_actions: true` under `settings:` in "
            f"{engine.places.config}, then taskd reload",
        )
    if noop:
        lifecycle.unlock(task, caller.user, tx.now, force=force)
        locks = [lock for each in family.members(tx, task) for lock in each.locks]
        return replace(task, locks=tuple(locks))
    unlocked = unlocking.unlock(tx, task, caller.user, force=force, reason=reason)
    engine.director.kill(tx, unlocked)
    if unlocked[0].finished:
        return unlocked[0]
    watcher = Watcher(task.id, None, reply.answer)
    tx.after_commit.append(lambda: engine.director.watchers.add(watcher))
    return NOT_YET
