"""How people name a task: an id, or `@last`."""

from taskd.api.access import Caller
from taskd.model.errors import InvalidInput
from taskd.store import tasks
from taskd.store.database import Connection


def resolve(connection: Connection, caller: Caller, task: int | str) -> int:
    """The id. Raises NotFound or InvalidInput."""
    if task == "@last":
        return tasks.newest(connection, caller.uid)
    if isinstance(task, str) and not (task.isascii() and task.isdecimal()):
        raise InvalidInput(f"cannot read {task!r} as a task: expected an id or @last")
    number = int(task)
    # SQLite's integers end there; no task is beyond.
    return min(max(number, -1), 2**63 - 1)
