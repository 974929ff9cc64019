"""What steps printed."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from taskd.api.access import Caller, Permission
from taskd.api.methods import NOT_YET, Reply, errand
from taskd.api.references import resolve
from taskd.engine.engine import Engine
from taskd.logs import reader
from taskd.logs.files import log_path
from taskd.model.errors import InvalidInput, NotFound
from taskd.model.log import LogPage
from taskd.model.task import Task
from taskd.store import tasks

POLL_SECONDS = 0.1  # how soon a line that was added is seen
NOWHERE: Mapping[str, int] = {}


@errand(Permission.VIEW_TASKS)
def read(
    engine: Engine,
    caller: Caller,
    reply: Reply,
    task_id: int | str,
    step: str | None = None,
    position: Mapping[str, int] = NOWHERE,
    tail: int | None = None,
    since: str | None = None,
    timeout: float = 0.0,
) -> LogPage | object:
    """A page of lines from `position` on; waits up to `timeout` seconds for one."""
    with engine.database.snapshot() as connection:
        task = tasks.get(connection, resolve(connection, caller, task_id))
    begin = _read_time(since) if since else None
    files = files_of(engine, task, step)
    page = reader.read(files, position, tail=tail, since=begin, finished=task.resting)
    if page.lines or page.ended or timeout <= 0:
        return page
    again = partial(read, engine, caller, reply, task.id, step, page.position)
    reply.retry(POLL_SECONDS, partial(again, timeout=timeout - POLL_SECONDS))
    return NOT_YET


def files_of(engine: Engine, task: Task, step: str | None = None) -> list[reader.LogFile]:
    if step is not None and step not in task.steps:
        names = ", ".join(task.steps)
        raise NotFound(f"task {task.id} has no step {step!r}", hint=f"it has {names}")
    root = str(engine.places.logs)
    return [
        (each.number, each.name, Path(log_path(root, task.id, each.number, each.name)))
        for each in task.steps.values()
        if step in (None, each.name)
    ]


def _read_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"cannot read {text!r} as a time: expected ISO 8601") from None
    return time.astimezone()
