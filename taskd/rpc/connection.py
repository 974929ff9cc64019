"""One client: its bytes to lines, our answers to bytes."""

import socket
import threading
from collections.abc import Callable

from taskd import wire
from taskd.api.access import Caller
from taskd.loop import READ, WRITE, Loop
from taskd.model.errors import ProtocolError

CHUNK = 1 << 18
# Requests taken in a round of the loop. Few, so that a flood of them waits while steps run: a task
# that is created and begun in one commit costs less than one that is stored first.
AT_ONCE = 24
MAX_UNREAD = 64 * 1024 * 1024  # answers that a client leaves unread


class Connection:
    """Read in the loop's thread; answered from any."""

    def __init__(
        self,
        loop: Loop,
        peer: socket.socket,
        caller: Caller | None,
        take: Callable[["Connection", list[bytes]], object],
        gone: Callable[["Connection"], object],
    ) -> None:
        self.caller = caller
        self.greeted = False
        self._loop = loop
        self._socket = peer
        self._take = take
        self._gone = gone
        self._incoming = b""
        self._lines: list[bytes] = []  # read, and not taken yet; meanwhile nothing is read
        self._outgoing = bytearray()
        self._lock = threading.Lock()
        self._blocked = False  # the rest of `_outgoing` waits until it can be written
        self._ending = False
        self._closed = False
        self._events = READ
        peer.setblocking(False)
        loop.watch(peer.fileno(), self._event)

    def answer(self, line: bytes) -> None:
        """Queue an answer; `flush` sends what was queued."""
        with self._lock:
            if not self._closed:
                self._outgoing += line

    def flush(self) -> None:
        with self._lock:
            if self._closed or not self._outgoing:
                return
            self._write()
            if self._outgoing and not self._blocked:
                self._blocked = True
                self._loop.call(self._watch_writing)

    def end(self, line: bytes) -> None:
        """A last answer, then close."""
        self.answer(line)
        self._ending = True
        self._incoming = b""
        self.flush()
        self._loop.call(self._close_if_done)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._loop.forget(self._socket.fileno())
            self._socket.close()
        self._gone(self)

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._outgoing)
            del self._outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError:  # the client has gone; reading says so too
            self._outgoing.clear()

    def _watch_writing(self) -> None:
        if self._closed:
            return
        if len(self._outgoing) > MAX_UNREAD:
            self.close()
        else:
            self._watch()

    def _event(self, events: int) -> None:
        if events & WRITE:
            self._continue_writing()
        if events & ~WRITE and not self._closed:
            self._read()

    def _continue_writing(self) -> None:
        with self._lock:
            self._write()
            if not self._outgoing:
                self._blocked = False
                self._watch()
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._ending and not self._outgoing:
            self.close()

    def _read(self) -> None:
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
        elif not self._ending:
            self._split(data)

    def _split(self, data: bytes) -> None:
        if b"\n" not in data:
            self._incoming += data
            lines = []
        else:
            *lines, self._incoming = (self._incoming + data).split(b"\n")
        if len(self._incoming) > wire.MAX_LINE or any(len(x) > wire.MAX_LINE for x in lines):
            error = ProtocolError(wire.TOO_LARGE, hint=wire.TOO_LARGE_HINT)
            self.end(wire.failure(None, error, wire.INVALID_REQUEST))
        elif lines:
            self._lines = lines
            self._take_some()

    def _take_some(self) -> None:
        if self._closed or self._ending:
            return
        lines, self._lines = self._lines[:AT_ONCE], self._lines[AT_ONCE:]
        self._watch()
        if self._lines:
            self._loop.call(self._take_some)
        self._take(self, lines)

    def _watch(self) -> None:
        """For what there is to do: reading, unless lines wait; writing, if answers do."""
        events = (0 if self._lines else READ) | (WRITE if self._blocked else 0)
        if events != self._events:
            self._events = events
            self._loop.change(self._socket.fileno(), events)
