"""Who is at the other end of a socket, by the kernel's word."""

import pwd
import socket
import struct

from taskd.api.access import Caller

_CREDENTIALS = struct.Struct("iII")  # pid, and uid and gid, which are unsigned
NOBODY = 65534  # whoever has no name in our user namespace


def identify(connection: socket.socket) -> Caller | None:
    """None when the kernel cannot tell who it is."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(data)
    if pid == 0 or uid == NOBODY:
        return None
    return Caller(uid, _name(uid), pid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
