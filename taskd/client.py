"""The daemon's API for Python programs: one typed method per API method.

    with Client() as client:
        task = client.start("backup.site", {"site": "blog"})
        task = client.wait(task.id)

A client is one connection. It may be used by one thread at a time; `submit` and `collect` keep
many requests in flight. Methods raise what the daemon raised (`taskd.model.errors`).
"""

import os
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from taskd import wire
from taskd.model.definition import Broken, Definition
from taskd.model.errors import ProtocolError, Unavailable, WaitTimeout
from taskd.model.lock import Holding
from taskd.model.log import LogPage
from taskd.model.page import Page
from taskd.model.task import JSON, Task
from taskd.places import find_socket

T = TypeVar("T")
TaskRef: TypeAlias = int | str  # an id, or "@last": the newest task that the caller started


class Client:
    """A connection to the daemon at `path`; by default as `taskctl` finds it.

    Raises Unavailable, saying which socket, why, and what to type.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(path) if path is not None else find_socket()
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._buffer = b""
        self._socket = _connect(self.path)
        self.daemon: dict[str, JSON] = self.call(
            "hello", dict, protocol=wire.PROTOCOL, client="taskd.client"
        )

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

    # Tasks

    def start(
        self,
        action: str,
        input: Mapping[str, JSON] | None = None,
        *,
        words: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Task:
        """Start a task of a known action. `words` are inputs as typed, read by the field's type.

        Options: `name`, `locks` (texts, as in "site:blog/backup"), `links`, `key` (idempotency),
        `priority` (higher first), `on_conflict` ("pause", "wait", "skip").
        """
        return self.call(
            "tasks.start", Task, action=action, input=input or {}, words=words or {}, **options
        )

    def start_many(self, requests: Sequence[Mapping[str, Any]]) -> list[int]:
        """Start many tasks, all or none; each of `requests` holds what `start` takes. Their ids."""
        return self.call("tasks.start_many", list[int], requests=requests)

    def start_definition(
        self,
        text: str,
        file: str,
        input: Mapping[str, JSON] | None = None,
        *,
        words: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Task:
        """Start a task of the YAML definition `text`, which is kept with it. `file` is for errors."""
        return self.call(
            "tasks.start_definition",
            Task,
            text=text,
            file=file,
            input=input or {},
            words=words or {},
            **options,
        )

    def exec(
        self,
        command: str | Sequence[str],
        *,
        cwd: str,
        environment: Mapping[str, str],
        rescue: str = "pause",
        retry: int = 0,
        time_limit: float | None = None,
        **options: Any,
    ) -> Task:
        """Start a command as a task: a line for /bin/sh, or a list of arguments. Options: see
        `start`."""
        return self.call(
            "tasks.exec",
            Task,
            command=command if isinstance(command, str) else list(command),
            cwd=cwd,
            environment=environment,
            rescue=rescue,
            retry=retry,
            time_limit=time_limit,
            **options,
        )

    def get(self, task_id: TaskRef) -> Task:
        """One task with everything: steps, locks, errors, history."""
        return self.call("tasks.get", Task, task_id=task_id)

    def find(
        self,
        search: str = "",
        *,
        order: str = "",
        limit: int = 20,
        after: str = "",
        full: bool = False,
    ) -> Page[Task]:
        """Tasks, newest first; without steps, locks, input and output unless `full`."""
        return self.call(
            "tasks.find",
            Page[Task],
            search=search,
            order=order,
            limit=limit,
            after=after,
            full=full,
        )

    def watch(self, task_id: TaskRef, seen: int = -1, timeout: float = 30.0) -> Task:
        """The task as soon as its `version` is above `seen`, or as it is after `timeout` seconds."""
        return self.call("tasks.watch", Task, task_id=task_id, seen=seen, timeout=timeout)

    def wait(self, task_id: TaskRef, timeout: float | None = None) -> Task:
        """The task once it is stopped or paused. Raises WaitTimeout after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = 30.0 if deadline is None else deadline - time.monotonic()
            task = self.call(
                "tasks.wait", Task, task_id=task_id, timeout=max(0.0, min(left, 30.0))
            )
            if task.resting:
                return task
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimeout(f"task {task.id} is still {task.state} after {timeout:g} s")

    def resume(self, task_id: TaskRef) -> Task:
        """Resume a paused task from the step that failed."""
        return self.call("tasks.resume", Task, task_id=task_id)

    def cancel(self, task_id: TaskRef, *, force: bool = False) -> Task:
        """Cancel a task. A running one is given its grace, unless `force`."""
        return self.call("tasks.cancel", Task, task_id=task_id, force=force)

    # Everything else

    def locks(self, resource: str | None = None) -> list[Holding]:
        """The locks that are held, oldest first."""
        return self.call("locks.find", list[Holding], resource=resource)

    def logs(
        self,
        task_id: TaskRef,
        *,
        step: str | None = None,
        position: Mapping[str, int] | None = None,
        tail: int | None = None,
        since: str | None = None,
        timeout: float = 0.0,
    ) -> LogPage:
        """What the steps printed from `position` on: at most a page; waits `timeout` seconds for
        more. `tail`: only the last so many lines; `since`: an ISO 8601 time."""
        return self.call(
            "logs.read",
            LogPage,
            task_id=task_id,
            step=step,
            position=position or {},
            tail=tail,
            since=since,
            timeout=timeout,
        )

    def actions(self) -> list[Definition]:
        """The known actions, by label."""
        return self.call("actions.find", list[Definition])

    def action(self, label: str) -> Definition:
        return self.call("actions.get", Definition, label=label)

    def broken_actions(self) -> list[Broken]:
        """Action files that could not be loaded, and why."""
        return self.call("actions.broken", list[Broken])

    def status(self) -> dict[str, JSON]:
        """The daemon: version, pid, uptime, slots, numbers of tasks by state, store, socket."""
        return self.call("daemon.status", dict)

    def reload(self) -> dict[str, JSON]:
        """Read the configuration and all actions again."""
        return self.call("daemon.reload", dict)

    def stop(self, *, wait: bool = False) -> None:
        """Tell the daemon to stop; `wait`: after the running steps. Steps outlive it otherwise."""
        self.call("daemon.stop", dict, wait=wait)

    # The wire

    def call(self, method: str, kind: type[T], **parameters: Any) -> T:
        """The result of an API method, as a `kind`."""
        return wire.decode(kind, self.collect(self.submit(method, **parameters)))

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

    def collect(self, number: int) -> JSON:
        """The answer to a request as plain JSON. Raises what the daemon raised."""
        while number not in self._answers:
            self._read()
        answer = self._answers.pop(number)
        if "error" in answer:
            raise wire.error_from(answer["error"])
        return answer["result"]

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
        return Unavailable(
            f"lost the daemon at {self.path}: {why}", hint="taskd status tells whether it runs"
        )


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        raise _unavailable(path, error) from None
    return connection


def _unavailable(path: Path, error: OSError) -> Unavailable:
    if isinstance(error, FileNotFoundError):
        return Unavailable(f"no daemon at {path}: there is no such socket", hint="taskd start")
    if isinstance(error, ConnectionRefusedError):
        return Unavailable(
            f"no daemon at {path}: the socket is left over from one that ended", hint="taskd start"
        )
    if isinstance(error, PermissionError):
        return Unavailable(
            f"cannot connect to {path}: permission denied",
            hint="the daemon belongs to another user; set TASKD_SOCKET or start your own",
        )
    return Unavailable(f"cannot connect to {path}: {error.strerror or error}")
