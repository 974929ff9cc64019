"""The socket that a service manager opened for the daemon, by the protocol of sd_listen_fds(3)."""

import contextlib
import os
import socket
from collections.abc import Iterator, MutableMapping

from taskd import wire
from taskd.model.errors import StoreError, TaskdError, Unavailable

FIRST = 3
PATIENCE = 1.0  # seconds for a client that has not said hello yet

HINT = "the socket unit needs one ListenStream= with a path, and Accept=no"


@contextlib.contextmanager
def given_socket(environment: MutableMapping[str, str]) -> Iterator[socket.socket | None]:
    """It listens already; None where there is none. Raises StoreError for one that cannot serve.

    Those who wait there learn of an error that keeps the daemon from its work: were they left
    waiting, the service manager would start one daemon after the other in vain.
    """
    listener = _take(environment)
    try:
        yield listener
    except TaskdError as error:
        if listener:
            _turn_away(listener, error)
        raise


def _take(environment: MutableMapping[str, str]) -> socket.socket | None:
    """Neither variables nor socket are for what the daemon starts."""
    for_whom = environment.pop("LISTEN_PID", "")
    count = environment.pop("LISTEN_FDS", "")
    environment.pop("LISTEN_FDNAMES", None)
    if for_whom != str(os.getpid()) or count == "0":
        return None
    if count != "1":
        raise StoreError(f"cannot serve at {count} sockets of the service manager", hint=HINT)
    try:
        os.set_inheritable(FIRST, False)
        listener = socket.socket(fileno=FIRST)
    except OSError as error:
        raise _useless(f"descriptor {FIRST} is no socket: {error.strerror}") from None
    _check(listener)
    return listener


def _check(listener: socket.socket) -> None:
    if listener.family != socket.AF_UNIX:
        raise _useless("it is no Unix socket")
    if listener.type != socket.SOCK_STREAM:
        raise _useless("it is no stream")
    if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise _useless("it does not listen")
    # In the abstract name space no folder and no mode would keep other users away.
    name = listener.getsockname()
    if not (isinstance(name, str) and name.startswith("/")):
        raise _useless("it has no path")


def _useless(why: str) -> StoreError:
    return StoreError(f"cannot serve at the socket of the service manager: {why}", hint=HINT)


def _turn_away(listener: socket.socket, error: TaskdError) -> None:
    refusal = Unavailable(f"the daemon cannot start: {error.message}", hint=error.hint)
    listener.setblocking(False)
    with contextlib.suppress(OSError):  # there is none any more
        while True:
            peer, _ = listener.accept()
            with peer, contextlib.suppress(OSError):  # it has gone, or says nothing
                peer.settimeout(PATIENCE)
                peer.recv(wire.MAX_LINE)  # else it would only learn that the connection is closed
                peer.sendall(wire.failure(None, refusal))
