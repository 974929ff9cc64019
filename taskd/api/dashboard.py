"""What is going on, on one page."""

from datetime import UTC, datetime, timedelta

from taskd.api.access import Permission
from taskd.api.methods import query
from taskd.engine import conflicts
from taskd.engine.engine import Engine
from taskd.model.dashboard import Bad, Dashboard
from taskd.model.task import State
from taskd.store import summary
from taskd.store.database import Connection

RECENT = timedelta(days=1)
FEW = 5  # of each list


@query(Permission.VIEW_TASKS)
def get(connection: Connection, engine: Engine) -> Dashboard:
    now = datetime.now(UTC)
    since = now - RECENT
    return Dashboard(
        at=now,
        since=since,
        note=engine.note,
        counts=summary.counts(connection, since),
        paused=[_bad(connection, each) for each in summary.newest_paused(connection, FEW)],
        failed=[_bad(connection, each) for each in summary.latest_failed(connection, FEW)],
        coming=summary.coming(connection, FEW),
        skipped=summary.skipped(connection, since, FEW),
        waiting=summary.lines(connection, FEW),
    )


def _bad(connection: Connection, task_id: int) -> Bad:
    task = conflicts.get_full(connection, task_id)
    why = task.errors[0].reason if task.errors else ""
    at = task.state_updated_at if task.state is State.PAUSED else task.started_at
    return Bad(task.id, task.name, task.state, task.result, at, why)
