"""Starting and stopping the daemon, from outside."""

import os
import select
from contextlib import closing

from taskd import detach
from taskd.client import Client
from taskd.model.errors import Busy, Unavailable
from taskd.places import Places

STOP_PATIENCE = 30.0


def start(places: Places) -> None:
    """Returns once a daemon answers. Raises what keeps it from that."""
    detach.start(places)


def stop(places: Places, *, wait: bool = False) -> bool:
    """Returns once there is no daemon any more. Whether there was one."""
    client = find_daemon(places)
    if client is None:
        return False
    with client:
        pid = int(client.status()["pid"])
        with closing(open(os.pidfd_open(pid))) as process:
            client.stop(wait=wait)
            if not select.select([process], [], [], None if wait else STOP_PATIENCE)[0]:
                raise Busy(f"the daemon (pid {pid}) is still stopping", hint=f"tail {places.log}")
    return True


def find_daemon(places: Places) -> Client | None:
    try:
        return Client(places.socket)
    except Unavailable as error:
        if isinstance(error.__context__, FileNotFoundError | ConnectionRefusedError):
            return None
        raise
