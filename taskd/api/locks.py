"""Who holds and who waits for what."""

from taskd.api.access import Permission
from taskd.api.methods import query
from taskd.model.lock import Claim, parse_lock
from taskd.store import claims
from taskd.store.database import Connection


@query(Permission.VIEW_TASKS)
def find(connection: Connection, resource: str | None = None) -> list[Claim]:
    """Who holds which lock, oldest first, and who waits for it, in the order of their turn.

    A lock as text stands for its resource.
    """
    if resource is None:
        return claims.find(connection)
    whole = parse_lock(resource).resource
    return claims.find(connection, resource) or claims.find(connection, whole)
