"""One client: its bytes to lines, our answers to bytes."""

import socket
import threading
from collections.abc import Callable

from taskd import wire
from taskd.api.access import Caller
from taskd.loop import HANG_UP, READ, WRITE, Loop
from taskd.rpc.limits import Client, Limits, size_of

CHUNK = 1 << 14
MUCH_UNREAD = 1 << 18  # bytes of answers from which on none is made that can wait


class Connection:
    """Read in the loop's thread; answered from any."""

    def __init__(
        self,
        loop: Loop,
        peer: socket.socket,
        caller: Caller | None,
        limits: Limits,
        take: Callable[["Connection", list[tuple[bytes, int]]], object],
        gone: Callable[["Connection"], object],
    ) -> None:
        self.caller = caller
        self.greeted = False
        self.closed = False
        self.when_closed: dict[object, Callable[[], object]] = {}
        self._loop = loop
        self._socket = peer
        self._limits = limits
        self._take = take
        self._gone = gone
        self._incoming = bytearray()
        self._searched = 0  # so many bytes of it hold no line's end
        self._has_lines = False  # that are not taken yet; meanwhile nothing is read
        self._outgoing = bytearray()
        self._aside: list[Callable[[], object]] = []  # what answers when the client has read
        self._lock = threading.Lock()
        self._ending = False  # no further request comes
        self._events = READ
        peer.setblocking(False)
        loop.watch(peer.fileno(), self._event)

    # From any thread

    def answer(self, line: bytes, size: int) -> None:
        """Queue the answer to a request of that size; `flush` sends what was queued."""
        with self._lock:
            if not self.closed:
                self._outgoing += line
        self._limits.unanswered.give_back(self, size)

    def put_aside(self, function: Callable[[], object]) -> bool:
        """Whether `function`, which makes an answer, is to wait until the client has read others;
        it is called then."""
        with self._lock:
            if self.closed or len(self._outgoing) < MUCH_UNREAD:
                return False
            self._aside.append(function)
            return True

    def flush(self) -> None:
        with self._lock:
            if self.closed:
                return
            self._write()
            dropped = self._limits.unread.hold(self, len(self._outgoing))
            if self._outgoing or self._aside or self._ending:
                self._loop.call(self._wait_for_the_client)
        _drop(dropped)

    def drop(self) -> None:
        """Close it soon, and forget its answers now."""
        if self._shut():
            self._loop.call(self._leave)

    def _shut(self) -> bool:
        """False when it was closed already."""
        with self._lock:
            was_open, self.closed = not self.closed, True
            self._outgoing = bytearray()
        return was_open

    def _write(self) -> None:
        if not self._outgoing:
            return
        try:
            sent = self._socket.send(self._outgoing)
            del self._outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError:  # the client has gone; reading says so too
            self._outgoing.clear()

    # In the loop

    def go_on(self) -> None:
        """Take what was read and there is room for."""
        if self.closed:
            return
        taken: list[tuple[bytes, int]] = []
        line: bytes | None = b""
        most = self._limits.at_once
        while len(taken) < most and (line := self._next_line()) is not None:
            if line.strip():
                size = size_of(line)
                if not self._limits.unanswered.take(self, size):
                    break
                taken.append((line, size))
            del self._incoming[: len(line) + 1]
        self._has_lines = line is not None
        if len(taken) == most:
            self._loop.call(self.go_on)
        self._note_unfinished()
        self._watch()
        self._take(self, taken)

    def _next_line(self) -> bytes | None:
        end = self._incoming.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._incoming)
            return None
        self._searched = 0
        with memoryview(self._incoming) as view:
            return bytes(view[:end])

    def end(self, line: bytes, size: int = 0) -> None:
        """A last answer, then close."""
        self._ending = True
        self._incoming.clear()
        self._has_lines = False
        self.answer(line, size)
        self.flush()

    def close(self) -> None:
        if self._shut():
            self._leave()

    def _leave(self) -> None:
        self._loop.forget(self._socket.fileno())
        self._socket.close()
        self._incoming.clear()
        self._aside.clear()
        self._limits.forget(self)
        for function in list(self.when_closed.values()):
            function()
        self._gone(self)

    def _event(self, events: int) -> None:
        if events & WRITE:
            self._wait_for_the_client()
        if self.closed:
            return
        if self._events & READ:
            self._read(hung_up=bool(events & HANG_UP))
        elif events & HANG_UP:
            self.close()

    def _read(self, *, hung_up: bool) -> None:
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data, hung_up = b"", True
        if data:
            self._incoming += data
            self.go_on()
            if len(self._incoming) > wire.MAX_LINE and not self._has_lines:
                self.end(wire.failure(None, wire.too_large(), wire.INVALID_REQUEST))
        elif hung_up:
            self.close()
        else:  # it sends no more, but reads what it has asked for
            self._ending = True
            self._wait_for_the_client()

    def _note_unfinished(self) -> None:
        size = len(self._incoming)
        _drop(self._limits.unfinished.hold(self, size if size > CHUNK else 0))

    def _wait_for_the_client(self) -> None:
        """It may have read answers, or is to read some."""
        if self.closed:
            return
        with self._lock:
            self._write()
            unread = len(self._outgoing)
            aside = self._aside if unread < MUCH_UNREAD else []
            if aside:
                self._aside = []
            dropped = [] if self.closed else self._limits.unread.hold(self, unread)
        _drop(dropped)
        self._watch()
        for function in aside:
            function()
        if self._ending and not (
            unread or self._has_lines or self._limits.unanswered.has_some_of(self)
        ):
            self.close()

    def _watch(self) -> None:
        """For what there is to do: reading, unless lines wait; writing, if answers do."""
        if self.closed:
            return
        events = (0 if self._has_lines or self._ending else READ) | (WRITE if self._outgoing else 0)
        if events != self._events:
            self._events = events
            self._loop.change(self._socket.fileno(), events)


def _drop(clients: list[Client]) -> None:
    for client in clients:
        client.drop()
