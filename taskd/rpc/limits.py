"""How much all clients together may have the daemon keep for them: it stays small, and answers."""

import threading
from collections.abc import Callable
from typing import Protocol

from taskd.loop import Loop

MOST_UNFINISHED = 24 << 20  # bytes of requests that do not end
MOST_UNREAD = 16 << 20  # bytes of answers
MOST_UNANSWERED = 24 << 20  # bytes that requests take until they are answered
OWN_UNANSWERED = 16 << 10  # of these, those that each client may have at any time
# Requests of a client taken in a round of the loop. Fewer while steps wait for their turn: a task
# that is created and begun in one commit costs less than one that is stored first.
AT_ONCE, AT_ONCE_BEHIND = 48, 24

_REQUEST, _VALUE = 4096, 100  # bytes that one takes, however short it is


class Client(Protocol):
    def go_on(self) -> object:
        """There may be room for its next request."""

    def drop(self) -> object:
        """It leaves too much lying. From any thread."""


class Limits:
    """`warn` is told when a client is dropped, and why. `is_behind`: more steps could begin than
    did at the last commit."""

    def __init__(
        self,
        loop: Loop,
        warn: Callable[[str], object],
        is_behind: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_behind = is_behind
        self.unfinished = Backlog(
            MOST_UNFINISHED, lambda: warn("a client was dropped: it does not end a large request")
        )
        self.unread = Backlog(
            MOST_UNREAD, lambda: warn("a client was dropped: it does not read its answers")
        )
        self.unanswered = Room(loop)

    @property
    def at_once(self) -> int:
        return AT_ONCE_BEHIND if self._is_behind() else AT_ONCE

    def forget(self, client: Client) -> None:
        """Its connection has ended."""
        self.unfinished.hold(client, 0)
        self.unread.hold(client, 0)
        self.unanswered.leave(client)


class Backlog:
    """Bytes that lie about since clients do not go on. Beyond `most` those go who have had some
    there for longest; a single one may have more. From any thread."""

    def __init__(self, most: int, warn: Callable[[], object]) -> None:
        self._most = most
        self._warn = warn
        self._lock = threading.Lock()
        self._sizes: dict[Client, int] = {}  # in the order in which they began
        self._total = 0

    def hold(self, client: Client, size: int) -> list[Client]:
        """So much is there of `client` now. Those that are to go."""
        with self._lock:
            self._put(client, size)
            dropped = []
            while self._total > self._most and len(self._sizes) > 1:
                dropped.append(next(iter(self._sizes)))
                self._put(dropped[-1], 0)
        if dropped:
            self._warn()
        return dropped

    def _put(self, client: Client, size: int) -> None:
        self._total += size - self._sizes.get(client, 0)
        if size:
            self._sizes[client] = size
        else:
            self._sizes.pop(client, None)


class Room:
    """Bytes for requests that are not answered yet. Who finds no room waits until there is some.
    Since a few requests of each are taken at any time, nobody waits for what others do not end."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._taken: dict[Client, int] = {}
        self._total = 0
        self._waiting: set[Client] = set()

    def take(self, client: Client, size: int) -> bool:
        """False: there is none now, and `client` is told when there may be."""
        with self._lock:
            mine = self._taken.get(client, 0) + size
            if mine > OWN_UNANSWERED and self._total + size > MOST_UNANSWERED:
                self._waiting.add(client)
                return False
            self._taken[client] = mine
            self._total += size
            return True

    def give_back(self, client: Client, size: int) -> None:
        """From any thread. Nothing, if `client` has left."""
        with self._lock:
            mine = self._taken.pop(client, 0)
            if mine > size:
                self._taken[client] = mine - size
            self._total -= min(mine, size)
        self._wake()

    def leave(self, client: Client) -> None:
        with self._lock:
            self._total -= self._taken.pop(client, 0)
            self._waiting.discard(client)
        self._wake()

    def has_some_of(self, client: Client) -> bool:
        with self._lock:
            return client in self._taken

    def _wake(self) -> None:
        if self._waiting:
            self._loop.call(self._tell)

    def _tell(self) -> None:
        with self._lock:
            told, self._waiting = self._waiting, set()
        for client in told:
            client.go_on()


def size_of(line: bytes) -> int:
    """About what the request takes in memory; no more than there is room for beside others."""
    values = line.count(b",") + line.count(b"[") + line.count(b"{")
    text = len(line) if line.isascii() else 4 * len(line)
    return min(_REQUEST + text + _VALUE * values, MOST_UNANSWERED // 2)
