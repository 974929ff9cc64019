"""A client that may say anything: bytes on the daemon's socket."""

import contextlib
import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HELLO = b'{"jsonrpc":"2.0","id":0,"method":"hello","params":{"protocol":1,"client":"raw"}}\n'


class RawClient:
    def __init__(self, path: Path, *, greet: bool = True) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self._buffer = b""
        if greet:
            self.send(HELLO)
            self.answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """As much of it as the daemon takes."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        return self.ask_raw(method, json.dumps(parameters))

    def ask_raw(self, method: str, parameters: str) -> dict[str, Any]:
        """The answer to a request whose params are the text `parameters`."""
        line = f'{{"jsonrpc":"2.0","id":1,"method":{json.dumps(method)},"params":{parameters}}}\n'
        self.send(line.encode())
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next answer; {} when the daemon has closed the connection."""
        while b"\n" not in self._buffer:
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionResetError:
                data = b""
            if not data:
                return {}
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer
