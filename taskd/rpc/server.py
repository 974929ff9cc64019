"""The server reads all clients in the daemon's loop; a request runs where its method belongs."""

import contextlib
import logging
import os
import socket
import stat
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from taskd import quick_json, wire
from taskd.api import access
from taskd.api.access import Caller
from taskd.api.methods import METHODS, NOT_YET, Kind, Method
from taskd.engine.director import Change
from taskd.engine.engine import Engine
from taskd.executors.descriptors import first_too_many
from taskd.loop import Timer
from taskd.model.errors import InvalidInput, PermissionDenied, ProtocolError, StoreError, TaskdError
from taskd.model.record import replace
from taskd.rpc.connection import Connection
from taskd.rpc.limits import Limits
from taskd.rpc.peer import identify
from taskd.rpc.turns import Turns
from taskd.socket_path import MAX_PATH
from taskd.store.transaction import Transaction
from taskd.version import VERSION

log = logging.getLogger(__name__)

READERS = 4  # threads for queries, one a snapshot connection
ERRANDS = 4  # threads for what may wait
BACKLOG = 1024
ACCEPT_AGAIN = 0.2  # seconds after a connection could not be accepted
WARN_SECONDS = 60.0
_LISTENS = 0x10000  # a flag in /proc/net/unix


class Reply:
    """The answer to one request, given once, from any thread."""

    __slots__ = ("_given", "_server", "_size", "_timer", "_when_gone", "connection", "number")

    def __init__(self, server: "Server", connection: Connection, size: int) -> None:
        self.number: object = None
        self._server = server
        self.connection = connection
        self._size = size
        self._timer: Timer | None = None
        self._when_gone: Callable[[], object] = lambda: None
        self._given = False

    def answer(self, value: object) -> None:
        if value is not NOT_YET:
            self._send(wire.result(self.number, wire.dumps(value)))

    def fail(self, error: BaseException) -> None:
        if isinstance(error, TaskdError):
            code = wire.INVALID_PARAMS if type(error) is InvalidInput else wire.REFUSED
            self._send(wire.failure(self.number, error, code))
        else:
            wrapped = TaskdError(f"a mistake in taskd: {error!r}; its log has more")
            self._send(wire.failure(self.number, wrapped, wire.INTERNAL_ERROR))

    def result(self, value: object, error: BaseException | None) -> None:
        """How the director answers."""
        try:
            if error is None:
                self.answer(value)
            else:
                self.fail(error)
        except Exception as mistake:  # where a foreign request ends; what it changed is committed
            log.exception("a request cannot be answered")
            self.fail(mistake)

    def later(self, seconds: float, function: Callable[[], object]) -> None:
        self._server.loop.call(lambda: self._arm(seconds, function))

    def retry(self, seconds: float, function: Callable[[], object]) -> None:
        self.later(seconds, lambda: self._server.run_errand(self, function))

    def when_gone(self, function: Callable[[], object]) -> None:
        self._when_gone = function

    def when_closed(self, what: str, function: Callable[[], object]) -> None:
        def note() -> None:
            if self.connection.closed:
                function()
            else:
                self.connection.when_closed[what] = function

        self._server.loop.call(note)

    def _arm(self, seconds: float, function: Callable[[], object]) -> None:
        if not self._given:
            self._timer = self._server.loop.later(seconds, function)
            self.connection.when_closed[self] = self._give_up
        if self.connection.closed:
            self._give_up()

    def _give_up(self) -> None:
        """Nobody waits for it any more."""
        self._disarm()
        self._when_gone()

    def _disarm(self) -> None:
        if self._timer:
            self._timer.cancel()
            self.connection.when_closed.pop(self, None)

    def _send(self, line: bytes) -> None:
        self._given = True
        self._disarm()
        self.connection.answer(line, self._size)
        self._server.touched.add(self.connection)


class Server:
    def __init__(self, engine: Engine) -> None:
        self.loop = engine.loop
        self.touched: set[Connection] = set()  # have answers that are not sent yet
        self._engine = engine
        self._connections: set[Connection] = set()
        self._limits = Limits(self.loop, self._warn, lambda: engine.director.is_behind)
        self._readers = Turns(READERS, "reader")
        self._errands = Turns(ERRANDS, "errand")
        self._stale: bool | None = None  # of the catalog, looked up once for what was read at once
        self._changes: list[
            Change
        ] = []  # of the lines that were read at once: they make one commit
        self._listener: socket.socket | None = None
        self._accepting = False
        self._next_warning = 0.0
        self._path: Path | None = None  # where there is a socket of ours
        self._inode = 0  # of its file
        engine.director.after_batch = self.flush

    def listen(self, path: Path, given: socket.socket | None = None) -> None:
        """At `path`, or at the socket `given`, whose path stays when the server stops."""
        self._path = None if given else path
        self._listener = listener = given or _open(path)
        listener.setblocking(False)
        self._inode = os.stat(path).st_ino
        self._go_on_accepting()

    def look_after(self) -> None:
        """Make the socket's file anew if it is gone. One that was given is another's business."""
        if self._path and not os.path.lexists(self._path):
            log.warning("%s was removed: it is made anew", self._path)
            self._close()
            self.listen(self._path)

    def stop(self) -> None:
        """Close the socket and all connections."""
        with contextlib.suppress(FileNotFoundError):
            if self._path and self._path.lstat().st_ino == self._inode:
                self._path.unlink()
        self._readers.stop(wait=True)
        self._errands.stop(wait=False)
        self.loop.call(self._close)

    def _close(self) -> None:
        if self._listener:
            self._stop_accepting()
            self._listener.close()
            self._listener = None

    def flush(self) -> None:
        """Send the answers that were made."""
        while self.touched:
            self.touched.pop().flush()

    def run_errand(self, reply: Reply, function: Callable[[], object]) -> None:
        self._submit(self._errands, reply, function)

    def _accept(self, _events: int) -> None:
        assert self._listener is not None
        try:
            peer, _ = self._listener.accept()
        except OSError as error:  # e.g. no descriptors left: the others go on
            self._warn(f"cannot accept a connection: {error}")
            self._stop_accepting()
            self.loop.later(ACCEPT_AGAIN, self._go_on_accepting)
            return
        connection = Connection(
            self.loop, peer, identify(peer), self._limits, self._take, self._gone
        )
        self._connections.add(connection)
        if peer.fileno() >= first_too_many():
            self._warn(f"{len(self._connections)} clients: others wait until one has gone")
            self._stop_accepting()

    def _gone(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._go_on_accepting()

    def _stop_accepting(self) -> None:
        if self._listener and self._accepting:
            self.loop.forget(self._listener.fileno())
            self._accepting = False

    def _warn(self, text: str) -> None:
        """Not each time: it may be so for a while."""
        if time.monotonic() >= self._next_warning:
            log.warning("%s", text)
            self._next_warning = time.monotonic() + WARN_SECONDS

    def _go_on_accepting(self) -> None:
        if self._listener and not self._accepting:
            self.loop.watch(self._listener.fileno(), self._accept)
            self._accepting = True

    def _take(self, connection: Connection, lines: list[tuple[bytes, int]]) -> None:
        self._stale = None
        for line, size in lines:
            self._take_line(connection, line, size)
        self.flush()

    def _take_line(self, connection: Connection, line: bytes, size: int) -> None:
        reply = Reply(self, connection, size)
        if refusal := wire.excess(line):
            connection.end(wire.failure(None, refusal, wire.INVALID_REQUEST), size)
            return
        message = quick_json.read(line)
        if is_odd := message is quick_json.ODD:
            try:
                message = wire.loads(line)
            except ProtocolError as error:
                connection.end(wire.failure(None, error, wire.PARSE_ERROR), size)
                return
        if not _is_request(message):
            refusal = ProtocolError("the message is no request: an object with a method, an id")
            connection.answer(wire.failure(None, refusal, wire.INVALID_REQUEST), size)
            self.touched.add(connection)
            return
        reply.number = message.get("id")
        try:
            if is_odd:
                wire.check(message)
            wire.check_depth(line, message)
            self._route(connection, reply, message["method"], message.get("params", {}))
        except TaskdError as error:
            reply.fail(error)
        except Exception as error:  # a bug in one request must not end the thread that reads all
            log.exception("a request failed")
            reply.fail(error)

    def _route(self, connection: Connection, reply: Reply, name: str, parameters: Any) -> None:
        caller = connection.caller
        if caller is None:
            raise PermissionDenied("cannot tell who you are: the kernel gives no user for you")
        if name == "hello":
            access.check(caller, access.Permission.VIEW_TASKS)
            connection.greeted = True
            reply.answer(self._hello(caller, parameters))
            connection.caller = replace(caller, zone=str(parameters.get("zone", caller.zone)))
            return
        if not connection.greeted:
            raise ProtocolError("the first request must be hello")
        method = METHODS.get(name)
        if method is None:
            raise ProtocolError(f"no method {name!r}")
        if not isinstance(parameters, dict):
            raise InvalidInput("params must be an object")
        access.check(caller, method.needs)
        method.check(parameters)
        if method.needs is access.Permission.CREATE_TASKS:
            self._engine.director.trouble.refuse_more()
        self._run(method, caller, reply, parameters)

    def _hello(self, caller: Caller, parameters: Any) -> dict[str, object]:
        asked = parameters.get("protocol") if isinstance(parameters, dict) else None
        if asked != wire.PROTOCOL:
            raise ProtocolError(
                f"this daemon speaks protocol {wire.PROTOCOL}, not {asked}",
                hint="use a taskctl of the same version; taskd restart after an upgrade",
            )
        return {
            "protocol": wire.PROTOCOL,
            "version": VERSION,
            "pid": os.getpid(),
            "user": caller.user,
            "state_dir": str(self._engine.places.state),
            "note": self._engine.note,
        }

    def _run(
        self, method: Method, caller: Caller, reply: Reply, parameters: dict[str, Any]
    ) -> None:
        given = {"engine": self._engine, "caller": caller, "reply": reply}
        for part in method.given:
            parameters[part] = given[part]
        call = partial(method.function, **parameters)
        match method.kind:
            case Kind.QUERY:
                self._submit(self._readers, reply, partial(self._query, call))
            case Kind.ERRAND:
                self._submit(self._errands, reply, call)
            case Kind.COMMAND | Kind.WAITING if method.fresh and self._is_stale():
                self._submit(self._errands, reply, partial(self._refresh_first, call))
            case Kind.COMMAND | Kind.WAITING:
                self._engine.director.add(Change(lambda tx: call(tx=tx), reply.result))

    def _is_stale(self) -> bool:
        if self._stale is None:
            self._stale = self._engine.catalog.is_stale()
        return self._stale

    def _query(self, call: partial[object]) -> object:
        with self._engine.database.snapshot() as connection:
            return call(connection=connection)

    def _refresh_first(self, call: partial[object]) -> object:
        self._engine.refresh()

        def change(tx: Transaction) -> object:
            return call(tx=tx)

        return self._engine.director.do(change)

    def _submit(self, turns: Turns, reply: Reply, function: Callable[[], object]) -> None:
        turns.submit(reply.connection, partial(self._answer, turns, reply, function))

    def _answer(self, turns: Turns, reply: Reply, function: Callable[[], object]) -> None:
        if turns is self._readers and reply.connection.closed:
            return  # nobody wants to know
        if reply.connection.put_aside(partial(self._submit, turns, reply, function)):
            return
        try:
            reply.answer(function())
        except TaskdError as error:
            reply.fail(error)
        except Exception as error:  # where a foreign request ends
            log.exception("a request failed")
            reply.fail(error)
        self.flush()


def _is_request(message: Any) -> bool:
    return (
        isinstance(message, dict)
        and isinstance(message.get("method"), str)
        and isinstance(message.get("id"), int | str | None)
    )


def _open(path: Path) -> socket.socket:
    """The store's lock is ours, so a socket that is there is left over."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    _make_way(path)
    mask = os.umask(0o077)
    try:
        listener.bind(str(path))
    except OSError as error:
        raise StoreError(f"cannot listen at {path}: {error.strerror}") from None
    finally:
        os.umask(mask)
    listener.listen(BACKLOG)
    return listener


def _is_served(path: Path) -> bool:
    """Whether anybody listens there. To connect would tell, too, but may start a service."""
    try:
        lines = Path("/proc/net/unix").read_bytes().splitlines()[1:]
    except OSError:
        return False
    sockets = [line.split(maxsplit=7) for line in lines]
    return any(
        fields[7:] == [os.fsencode(path)] and int(fields[3], 16) & _LISTENS for fields in sockets
    )


def _make_way(path: Path) -> None:
    """Remove what a daemon before this one left there, and nothing else."""
    if len(os.fsencode(path)) > MAX_PATH:
        raise StoreError(
            f"cannot listen at {path}: it is too long, at most {MAX_PATH} bytes",
            hint="choose a shorter one: --socket, or TASKD_SOCKET",
        )
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise StoreError(f"cannot listen at {path}: there is something that is no socket")
        if _is_served(path):
            raise StoreError(
                f"cannot listen at {path}: somebody else does, a service manager perhaps",
                hint="systemctl --user stop taskd.socket; or choose another: --socket",
            )
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"cannot listen at {path}: {error.strerror}") from None
