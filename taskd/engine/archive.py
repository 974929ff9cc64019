"""What exports and backups hold of tasks: records, with the logs of their steps."""

from collections.abc import Iterator, Sequence

from taskd.logs.parts import parts, tails
from taskd.store.archive import records
from taskd.store.database import Connection


def lines(
    connection: Connection,
    logs: str,
    task_ids: Sequence[int],
    *,
    skip: int = 0,
    tail: int | None = None,
) -> Iterator[tuple[int, Iterator[str]]]:
    """Of each of these tasks that is there its id and lines, without their ends: the record, then
    pieces of long logs.

    `logs` is their folder. `skip`: so many lines of the first task are not wanted. `tail`: only the
    record, with so many bytes of the end of each log.
    """
    for task_id, record in records(connection, task_ids):
        if tail is None:
            yield task_id, _lines(logs, task_id, record, skip)
        else:
            yield task_id, iter([_with_logs(record, tails(logs, task_id, tail))])
        skip = 0


def _lines(logs: str, task_id: int, record: str, skip: int) -> Iterator[str]:
    found = parts(logs, task_id, max(0, skip - 1))
    short = next(found)
    if not skip:
        yield _with_logs(record, short)
    yield from found


def _with_logs(record: str, logs: str) -> str:
    return f'{record[:-1]},"logs":{{{logs}}}}}'
