"""A connection to the daemon on which many requests are in flight; answers are plain JSON.

It imports no model and no pathlib, so that a program that only passes JSON on starts quickly.
"""

import os
import socket
import stat
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from taskd import wire
from taskd.local_zone import local_zone
from taskd.model.errors import InvalidInput, ProtocolError, TaskdError, Unavailable
from taskd.socket_path import find_socket

PATIENCE = 30.0  # seconds that a daemon may take to answer at all: it may just be starting


class Channel:
    """A connection to the daemon at `path`; by default as `taskctl` finds it. One thread at a time.

    Raises Unavailable, saying which socket, why, and what to type.
    """

    name = "taskd.channel"  # how the daemon knows the program

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, patience: float = PATIENCE
    ) -> None:
        """`patience`: seconds that the daemon may take to answer at all."""
        self.path = os.fspath(path) if path is not None else find_socket()
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._buffer = b""
        self._socket = _connect(self.path)
        self._socket.settimeout(patience)
        try:
            self.daemon: dict[str, Any] = self.ask(
                "hello", protocol=wire.PROTOCOL, client=self.name, zone=local_zone()
            )
            self._socket.settimeout(None)
        except BaseException:  # nobody would hold it
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def ask(self, method: str, **parameters: Any) -> Any:
        """The result of an API method as plain JSON. Raises what the daemon raised."""
        return self.collect(self.submit(method, **parameters))

    def submit(self, method: str, **parameters: Any) -> int:
        """Send a request without waiting. Its number, for `collect`."""
        return self.submit_many([(method, parameters)])[0]

    def submit_many(self, requests: Iterable[tuple[str, Mapping[str, Any]]]) -> list[int]:
        """Send many requests at once, e.g. ("tasks.get", {"task_id": 42}). Their numbers."""
        numbers, lines = [], []
        for method, parameters in requests:
            self._number += 1
            numbers.append(self._number)
            lines.append(wire.request(self._number, method, parameters))
        try:
            self._socket.sendall(b"".join(lines))
        except OSError as error:
            raise self._lost(error) from None
        return numbers

    def collect(self, number: int) -> Any:
        """The answer to a request as plain JSON. Raises what the daemon raised."""
        answer = self.outcome(number)
        if isinstance(answer, TaskdError):
            raise answer
        return answer

    def outcome(self, number: int) -> Any:
        """The answer to a request as plain JSON, or the error that the daemon raised."""
        self.first([number])
        answer = self._answers.pop(number)
        return wire.error_from(answer["error"]) if "error" in answer else answer["result"]

    def first(self, numbers: Iterable[int]) -> int:
        """That of `numbers` which is answered first, for `collect`."""
        wanted = list(numbers)
        while True:
            for number in wanted:
                if number in self._answers:
                    return number
            self._read()

    def _read(self) -> None:
        try:
            data = self._socket.recv(1 << 18)
        except OSError as error:
            raise self._lost(error) from None
        if not data:
            raise self._lost("it closed the connection")
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            answer = wire.loads(line)
            if not isinstance(answer, dict):
                raise ProtocolError("the daemon sent a message that is no object")
            if answer.get("id") is None and "error" in answer:
                raise wire.error_from(answer["error"])
            self._answers[answer["id"]] = answer

    def _lost(self, why: object) -> Unavailable:
        if isinstance(why, TimeoutError):
            return Unavailable(
                f"the daemon at {self.path} does not answer", hint="its log may tell why: taskd.log"
            )
        return Unavailable(
            f"lost the daemon at {self.path}: {why}", hint="taskd status tells whether it runs"
        )


def _connect(path: str) -> socket.socket:
    if not path:
        raise InvalidInput("the socket of the daemon is given as an empty path")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        raise _unavailable(path, error) from None
    return connection


def _unavailable(path: str, error: OSError) -> Unavailable:
    if isinstance(error, FileNotFoundError):
        return Unavailable(f"no daemon at {path}: there is no such socket", hint="taskd start")
    if isinstance(error, ConnectionRefusedError):
        if not _is_socket(path):
            return Unavailable(
                f"cannot connect to {path}: it is no socket",
                hint="taskctl finds the socket of your own daemon by itself",
            )
        return Unavailable(
            f"no daemon at {path}: the socket is left over from one that ended", hint="taskd start"
        )
    if isinstance(error, PermissionError):
        return Unavailable(
            f"cannot connect to {path}: permission denied",
            hint="the daemon belongs to another user; set TASKD_SOCKET or start your own",
        )
    return Unavailable(f"cannot connect to {path}: {error.strerror or error}")


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return True  # it was, and is gone by now
