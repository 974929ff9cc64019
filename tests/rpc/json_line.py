"""A bare connection to the server: what goes over it is up to the test."""

import json
import socket
from pathlib import Path
from typing import Any

from stage import PATIENCE


class Line:
    """Sends and receives JSON lines, without hello."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self._file = self.socket.makefile("rb")

    def send(self, *messages: Any) -> None:
        self.socket.sendall(b"".join(json.dumps(message).encode() + b"\n" for message in messages))

    def ask(self, method: str, number: object = 1, **params: Any) -> None:
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})

    def receive(self) -> Any:
        """The next message; None when the server has closed."""
        line = self._file.readline()
        return json.loads(line) if line else None

    def hello(self) -> "Line":
        self.ask("hello", 0, protocol=1, client="test")
        assert "result" in self.receive()
        return self

    def close(self) -> None:
        self._file.close()
        self.socket.close()
