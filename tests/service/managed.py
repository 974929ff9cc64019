"""A daemon as a service manager starts it: with variables, descriptors and an open ear."""

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

from taskd import wire

PATIENCE = 30.0

# The descriptors become 3, 4 …, and the process is told that they are meant for it.
_LAUNCHER = """
import fcntl, os, sys
given = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in os.environ.pop("GIVEN").split()]
for number, fd in enumerate(given, 3):
    os.dup2(fd, number)
    os.close(fd)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(given))}
os.execv(sys.executable, [sys.executable, "-m", "taskd", "run"])
"""


class Manager:
    """`folder` is that of the state, too. Its name is short enough for a socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "taskd.sock"
        self.address = folder / "notify"
        self._messages = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._messages.bind(str(self.address))
        self._messages.settimeout(PATIENCE)
        self._started: list[subprocess.Popen[str]] = []

    def start(
        self, *sockets: socket.socket, stderr: int = subprocess.PIPE, **variables: object
    ) -> subprocess.Popen[str]:
        own = {name: text for name, text in os.environ.items() if not name.startswith("TASKD_")}
        own |= {"TASKD_STATE_DIR": str(self.folder), "NOTIFY_SOCKET": str(self.address)}
        own |= {name: str(value) for name, value in variables.items()}
        descriptors = [one.fileno() for one in sockets]
        if sockets:
            own |= {"GIVEN": " ".join(map(str, descriptors)), "LISTEN_FDNAMES": "taskd.socket"}
        how = ["-c", _LAUNCHER] if sockets else ["-m", "taskd", "run"]
        process = subprocess.Popen(
            [sys.executable, *how], env=own, pass_fds=descriptors, stderr=stderr, text=True, cwd="/"
        )
        self._started.append(process)
        return process

    def listen(self) -> socket.socket:
        """As a socket unit does."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.path))
        listener.listen()
        return listener

    def ask(self) -> socket.socket:
        """A client that has said hello, and has no answer yet."""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE)
        client.connect(str(self.path))
        client.sendall(wire.request(1, "hello", {"protocol": wire.PROTOCOL}))
        return client

    def message(self, patience: float = PATIENCE) -> dict[str, str]:
        """The next one. Raises TimeoutError."""
        self._messages.settimeout(patience)
        lines = self._messages.recv(1 << 16).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def hear(self, name: str, value: str = "") -> dict[str, str]:
        """The next message that has it."""
        while name not in (message := self.message()) or (value and message[name] != value):
            pass
        return message

    def forget(self) -> None:
        """The messages that have come."""
        with contextlib.suppress(TimeoutError, BlockingIOError):
            while True:
                self.message(patience=0.0)

    def close(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()
        self._messages.close()
