"""Who holds what."""

from taskd.api.access import Permission
from taskd.api.methods import query
from taskd.model.lock import Holding
from taskd.store import locks
from taskd.store.database import Connection


@query(Permission.VIEW_TASKS)
def find(connection: Connection, resource: str | None = None) -> list[Holding]:
    """The locks that are held, oldest first."""
    return locks.held(connection, resource)
