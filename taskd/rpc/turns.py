"""Threads for requests that take a while. Whoever asks for one thing at a time goes first, so that
nobody waits behind somebody who asks for a thousand."""

import queue
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import TypeAlias

Waiting: TypeAlias = tuple[object, Callable[[], object]]


class Turns:
    def __init__(self, threads: int, name: str) -> None:
        self._lock = threading.Lock()
        self._first: deque[Waiting] = deque()
        self._others: deque[Waiting] = deque()
        self._at_work: Counter[object] = Counter()  # how much each has here
        self._signs: queue.SimpleQueue[bool] = queue.SimpleQueue()  # one for each that waits
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, client: object, function: Callable[[], object]) -> None:
        with self._lock:
            line = self._others if self._at_work[client] else self._first
            line.append((client, function))
            self._at_work[client] += 1
        self._signs.put(True)

    def stop(self, *, wait: bool) -> None:
        """What has not begun does not begin; `wait` for what has."""
        with self._lock:
            self._first.clear()
            self._others.clear()
        for _ in self._threads:
            self._signs.put(False)
        for thread in self._threads if wait else ():
            thread.join()

    def _work(self) -> None:
        while self._signs.get():
            self._do_next()

    def _do_next(self) -> None:
        with self._lock:
            line = self._first or self._others
            if not line:  # it was stopped
                return
            client, function = line.popleft()
        try:
            function()
        finally:
            with self._lock:
                self._at_work[client] -= 1
                if not self._at_work[client]:
                    del self._at_work[client]
