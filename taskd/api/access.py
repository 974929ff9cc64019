"""Who is asking, and whether they may.

A daemon of one user serves that user and root; whoever else connects is told so.
"""

import os
from dataclasses import dataclass
from enum import StrEnum

from taskd.model.errors import PermissionDenied


class Permission(StrEnum):
    VIEW_TASKS = "view_tasks"
    CREATE_TASKS = "create_tasks"
    EDIT_TASKS = "edit_tasks"
    EXPORT = "export"
    CLEANUP = "cleanup"
    ADMIN = "admin"


@dataclass(frozen=True)
class Caller:
    """The peer of a connection, by the kernel's word but for his time zone, which he says."""

    uid: int
    user: str
    pid: int
    zone: str = "UTC"


def check(caller: Caller, needs: Permission) -> None:
    """Raises PermissionDenied."""
    if caller.uid not in (0, os.geteuid()):
        raise PermissionDenied(
            f"user {caller.user} may not {needs.replace('_', ' ')}: the daemon is another user's",
            hint="start your own: taskd start",
        )
