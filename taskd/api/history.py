"""What was: tasks are exported, and imported.

An import is one at a time. Its client sends text, then has the tasks let in, page by page.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from taskd.api.access import Caller, Permission
from taskd.api.methods import Reply, errand, query
from taskd.api.searching import asker_of, where
from taskd.engine import archive
from taskd.engine.engine import Engine
from taskd.engine.importing import Import, Progress
from taskd.model.errors import InvalidInput, TaskdError
from taskd.search.sql import Sql
from taskd.store import listing
from taskd.store.archive import rows as rows_of
from taskd.store.database import Connection
from taskd.store.patience import limited
from taskd.store.times import to_number

MAX_IDS = 100_000  # of one answer of `find`
MAX_PAGE = 1000  # tasks
MAX_DAYS = 100_000
PAGE_BYTES = 1 << 20  # from which on an answer has no more lines
FIND_SECONDS = 60.0  # who exports has patience


@query(Permission.EXPORT)
def find(
    connection: Connection,
    engine: Engine,
    caller: Caller,
    search: str = "",
    days: int | None = None,
    after: int | None = None,
) -> list[int]:
    """The ids of the tasks that `search` means, the newest first; of those, if so asked for, that
    were started in the last `days`. `after` is the last one of the page before."""
    if days is not None and not 0 <= days <= MAX_DAYS:
        raise InvalidInput(f"days {days} is not between 0 and {MAX_DAYS}")
    asker = asker_of(engine, caller)
    meant = where(search, asker)
    if days is not None:
        begin = to_number(asker.now - timedelta(days=days))
        meant &= Sql("tasks.started_at >= ?", (begin,))
    with limited(connection, FIND_SECONDS):
        return listing.ids(connection, meant, after, MAX_IDS)


@query(Permission.EXPORT)
def rows(connection: Connection, task_ids: list[int]) -> dict[str, Any]:
    """Of each of these tasks that is there: id, state, type, label, result, parent_task_id,
    started_at, ended_at."""
    return {"rows": [*rows_of(connection, _page(task_ids))], "left": [], "skip": 0}


@query(Permission.EXPORT)
def records(
    connection: Connection,
    engine: Engine,
    task_ids: list[int],
    skip: int = 0,
    tail: int | None = None,
) -> dict[str, Any]:
    """Lines with all that there is of these tasks (`taskd.store.archive`), as many as make a page.

    `left` are the tasks to go on with, `skip` the lines of the first of them that were given.
    `tail`: only so many bytes of the end of each log.
    """
    found: list[str] = []
    size = 0
    logs = str(engine.places.logs)
    for task_id, lines in archive.lines(connection, logs, _page(task_ids), skip=skip, tail=tail):
        for number, line in enumerate(lines, skip):
            if size > PAGE_BYTES:
                left = task_ids[task_ids.index(task_id) :]
                return {"lines": found, "left": left, "skip": number}
            found.append(line)
            size += len(line)
        skip = 0
    return {"lines": found, "left": [], "skip": 0}


@errand(Permission.ADMIN)
def begin_import(engine: Engine, caller: Caller, reply: Reply) -> int:
    """The number of the import that begins, for the other methods. It ends with the connection.

    Raises InvalidState while another one is at hand.
    """
    path, logs = engine.places.staging, str(engine.places.logs)
    make = partial(Import, path, engine.loop, engine.database, engine.director, logs, caller.user)
    number = engine.imports.begin(make).number
    reply.when_closed("import", partial(engine.imports.abandon, number))
    return number


@errand(Permission.ADMIN)
def send(engine: Engine, number: int, text: str) -> None:
    """The next part of the file, after the one before was answered. Raises InvalidInput when one
    before it was wrong: then the import has ended."""
    with _given_up_if_wrong(engine, number) as importing:
        importing.feed(text)


@errand(Permission.ADMIN)
def let_in(engine: Engine, number: int, skip_existing: bool = False) -> Progress:
    """Let in some of what was sent; to be repeated until it has ended.

    The first time raises InvalidInput when something is wrong with the whole, and InvalidState,
    unless `skip_existing`, when the id of any of them is taken.
    """
    with _given_up_if_wrong(engine, number) as importing:
        return importing.let_in(skip_existing=skip_existing)


@errand(Permission.ADMIN)
def end_import(engine: Engine, number: int) -> None:
    """What was not let in is given up."""
    engine.imports.end(number)


@contextmanager
def _given_up_if_wrong(engine: Engine, number: int) -> Iterator[Import]:
    importing = engine.imports.find(number)
    try:
        yield importing
    except TaskdError:
        engine.imports.end(number)
        raise


def _page(task_ids: list[int]) -> list[int]:
    if len(task_ids) > MAX_PAGE:
        raise InvalidInput(f"{len(task_ids)} tasks are more than a page: {MAX_PAGE}")
    if not all(type(task_id) is int for task_id in task_ids):
        raise InvalidInput("task_ids holds something that is no id")
    return task_ids
