"""Starting and stopping the daemon, from outside: by systemd where it is installed as a service."""

import fcntl
import os
import select
import signal
from contextlib import closing
from typing import IO

from taskd import detach
from taskd.client import Client
from taskd.model.errors import Busy, ProtocolError, Unavailable
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
    try:
        client = find_daemon(places)
    except ProtocolError:  # it is of another version
        _end_by_signal(places)
        return True
    if client is None:
        return False
    with client:
        pid = int(client.status()["pid"])
        with closing(open(os.pidfd_open(pid))) as process:
            client.stop(wait=wait)
            _await_end(process, pid, places, None if wait else STOP_PATIENCE)
    return True


def _end_by_signal(places: Places) -> None:
    with open(places.state / "lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = int(lock.read())
        else:  # so who answers has another store
            raise Unavailable(f"no daemon has the store in {places.state}")
    with closing(open(os.pidfd_open(pid))) as process:
        signal.pidfd_send_signal(process.fileno(), signal.SIGTERM)
        _await_end(process, pid, places, STOP_PATIENCE)


def _await_end(process: IO[str], pid: int, places: Places, patience: float | None) -> None:
    if not select.select([process], [], [], patience)[0]:
        raise Busy(f"the daemon (pid {pid}) is still stopping", hint=f"tail {places.log}")


def find_daemon(places: Places) -> Client | None:
    try:
        return Client(places.socket)
    except Unavailable as error:
        if isinstance(error.__context__, FileNotFoundError | ConnectionRefusedError):
            return None
        raise
