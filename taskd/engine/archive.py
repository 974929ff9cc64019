"""What exports and backups hold of tasks: records, with the logs of their steps."""

from collections.abc import Iterator, Sequence

from taskd.logs.parts import parts
from taskd.store.archive import records
from taskd.store.database import Connection


def lines(connection: Connection, logs_root: str, task_ids: Sequence[int]) -> Iterator[str]:
    """Lines, without their ends, of those of the tasks that are there, in the order of ids.

    The first line of each is its record; pieces of long logs follow it.
    """
    for task_id, record in records(connection, task_ids):
        logs = parts(logs_root, task_id)
        yield f'{record[:-1]},"logs":{{{next(logs)}}}}}'
        yield from logs
