"""Starting and stopping the daemon, from outside: by systemd where it is installed as a service."""

import os
import select
from contextlib import closing

from taskd import detach
from taskd.client import Client
from taskd.model.errors import Busy, Unavailable
from taskd.places import Places
from taskd.service import installed, systemctl

STOP_PATIENCE = 30.0


def start(places: Places) -> None:
    """Returns once a daemon answers. Raises what keeps it from that."""
    if _is_service(places):
        systemctl.start(anew=not places.socket.is_socket())
    else:
        detach.start(places)


def stop(places: Places, *, wait: bool = False, for_restart: bool = False) -> bool:
    """Returns once there is no daemon any more. Whether there was one.

    `for_restart` leaves the socket of a service open: who asks now waits for the next daemon.
    """
    if not _is_service(places):
        return _end(places, wait)
    ran = systemctl.runs()
    if ran and wait:
        _end(places, wait)
    systemctl.stop(socket=not for_restart)
    return ran or (not for_restart and _end(places, wait))  # that was started by hand


def _is_service(places: Places) -> bool:
    return installed.listens_at(places.socket) and systemctl.is_there()


def _end(places: Places, wait: bool) -> bool:
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
