"""How people name a task: an id, or `@last`."""

from taskd.api.access import Caller
from taskd.model.errors import InvalidInput, NotFound
from taskd.store import tasks
from taskd.store.database import Connection

MAX_DIGITS = 19  # of SQLite's integers


def resolve(connection: Connection, caller: Caller, task: int | str) -> int:
    """The id. Raises NotFound or InvalidInput."""
    if task == "@last":
        return tasks.newest(connection, caller.uid)
    if not isinstance(task, int | str):  # in a list of them
        raise InvalidInput("expected ids of tasks")
    if isinstance(task, str) and not (task.isascii() and task.isdecimal()):
        raise InvalidInput(f"cannot read {task[:40]!r} as a task: expected an id or @last")
    if isinstance(task, str) and len(task) > MAX_DIGITS:
        raise NotFound("no task has an id of so many digits")
    if not 0 <= int(task) < 2**63:
        raise NotFound(f"no task {task}")
    return int(task)
