"""Who holds what."""

import sqlite3

from taskd.api.access import Permission
from taskd.api.methods import query
from taskd.model.lock import Holding
from taskd.store import locks


@query(Permission.VIEW_TASKS)
def find(connection: sqlite3.Connection, resource: str | None = None) -> list[Holding]:
    """The locks that are held, oldest first."""
    return locks.held(connection, resource)
