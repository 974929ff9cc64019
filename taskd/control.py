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


def stop(places: Places, *, wait: bool = False, for_restart: bool = False) -> int | None:
    """Returns once there is no daemon any more: how many steps go on without it; None: there was
    none.

    `for_restart` leaves the socket of a service open: who asks now waits for the next daemon.
    """
    if not _is_service(places):
        return _end(places, wait)
    ran = systemctl.runs()
    left = _end(places, wait) if ran and wait else None
    systemctl.stop(socket=not for_restart)
    if ran:
        return left or 0
    return None if for_restart else _end(places, wait)  # that was started by hand


def _is_service(places: Places) -> bool:
    return installed.listens_at(places.socket) and systemctl.is_there()


def _end(places: Places, wait: bool) -> int | None:
    try:
        client = find_daemon(places)
    except ProtocolError:  # it is of another version
        return _end_by_signal(places)
    if client is None:
        return None
    with client:
        pid = int(client.status()["pid"])
        with closing(open(os.pidfd_open(pid))) as process:
            left = int(client.stop(wait=wait)["running_steps"])
            _await_end(process, pid, places)
    return left


def _end_by_signal(places: Places) -> int:
    with open(places.state / "lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = int(lock.read())
        else:  # so who answers has another store
            raise Unavailable(f"no daemon has the store in {places.state}")
    with closing(open(os.pidfd_open(pid))) as process:
        signal.pidfd_send_signal(process.fileno(), signal.SIGTERM)
        _await_end(process, pid, places)
    return 0  # nobody says so


def _await_end(process: IO[str], pid: int, places: Places) -> None:
    if not select.select([process], [], [], STOP_PATIENCE)[0]:
        raise Busy(f"the daemon (pid {pid}) is still stopping", hint=f"tail {places.log}")


def find_daemon(places: Places) -> Client | None:
    try:
        return Client(places.socket)
    except Unavailable as error:
        if isinstance(error.__context__, FileNotFoundError | ConnectionRefusedError):
            return None
        raise
