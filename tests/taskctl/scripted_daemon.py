"""A daemon that answers what a test tells it to, on a real socket."""

import json
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Answer = Any  # JSON, or a function of the parameters that gives it


class Refusal(Exception):
    """Raised by an answer: the daemon refuses, with this code."""

    def __init__(self, code: str, message: str, hint: str = "", **more: object) -> None:
        data = {"code": code, "hint": hint, **more}
        self.body = {"code": -32000, "message": message, "data": data}


@dataclass
class Daemon:
    path: Path
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def parameters(self, method: str) -> dict[str, Any]:
        """Of the last request of `method`."""
        return next(p for name, p in reversed(self.asked) if name == method)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(ConnectionError):  # the client may go at any moment
                for line in connection.makefile("rb"):
                    connection.sendall(self._answer(json.loads(line)))

    def _answer(self, request: dict[str, Any]) -> bytes:
        method, parameters = request["method"], request["params"]
        self.asked.append((method, parameters))
        answer = {"hello": {}, **self.answers}[method]
        body: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            body["result"] = answer(parameters) if callable(answer) else answer
        except Refusal as refusal:
            body["error"] = refusal.body
        return json.dumps(body).encode() + b"\n"
