"""One thread that waits for descriptors, timers and messages from other threads.

loop.watch(fd, callback)        callback(events) when it can be read; `change` for writing too
loop.later(seconds, function)   by the monotonic clock
loop.call(function)             from any thread: run it in the loop's thread, soon
"""

import heapq
import itertools
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable

READ, WRITE, HANG_UP = select.EPOLLIN, select.EPOLLOUT, select.EPOLLHUP | select.EPOLLERR
MANY = 1000  # timers, from which on those that were cancelled are forgotten
MOMENT = 0.0001  # seconds
LONGEST = 86400.0  # seconds that it sleeps at once; the kernel takes less than 25 days

log = logging.getLogger(__name__)


class Timer:
    """What `later` gives. `cancel` before it is due keeps it from running."""

    def __init__(self, due: float, function: Callable[[], object]) -> None:
        self.due = due
        self.function: Callable[[], object] | None = function

    def cancel(self) -> None:
        self.function = None


class Loop:
    def __init__(self, name: str) -> None:
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._epoll.register(self._wake, READ)
        self._callbacks: dict[int, Callable[[int], object]] = {}
        self._messages: deque[Callable[[], object]] = deque()
        self._woken = False
        self._timers: list[tuple[float, int, Timer]] = []
        self._many = MANY  # timers at which to look which are still wanted
        self._numbers = itertools.count()
        self._running = True
        # Whether a round is to wait a moment for what may come.
        self.expects_more: Callable[[], bool] = lambda: False
        # Done one after the other, after all that was found at one look.
        self.after_round: list[Callable[[], object]] = []

    def start(self) -> None:
        self.wake()
        self._thread.start()

    def stop(self) -> None:
        """End the thread after what was already called, and after a last round. From any other
        thread."""
        self.call(self._end)
        self._thread.join()

    def watch(self, fd: int, callback: Callable[[int], object], events: int = READ) -> None:
        self._callbacks[fd] = callback
        self._epoll.register(fd, events)

    def change(self, fd: int, events: int) -> None:
        self._epoll.modify(fd, events)

    def forget(self, fd: int) -> None:
        """Stop watching `fd`; call it before closing it."""
        if self._callbacks.pop(fd, None):
            self._epoll.unregister(fd)

    def call(self, function: Callable[[], object]) -> None:
        self._messages.append(function)
        self.wake()

    def wake(self) -> None:
        """Make a round, soon. From any thread."""
        if not self._woken:
            self._woken = True
            os.eventfd_write(self._wake, 1)

    def later(self, seconds: float, function: Callable[[], object]) -> Timer:
        """Only from the loop's own thread, or before it starts."""
        if len(self._timers) > self._many:
            self._forget_cancelled()
        timer = Timer(time.monotonic() + seconds, function)
        heapq.heappush(self._timers, (timer.due, next(self._numbers), timer))
        return timer

    def _forget_cancelled(self) -> None:
        self._timers = [entry for entry in self._timers if entry[2].function]
        heapq.heapify(self._timers)
        self._many = 2 * len(self._timers) + MANY

    def _end(self) -> None:
        self._running = False

    def _run(self) -> None:
        while self._running:
            self._hear(self._look())
            if self.expects_more():
                select.select([self._epoll], (), (), MOMENT)  # epoll counts in milliseconds
                self._hear(self._epoll.poll(0))
            self._run_timers()
            for function in self.after_round:
                self._guard(function)

    def _look(self) -> list[tuple[int, int]]:
        """What has come goes before timers: a process that was frozen is told of timers only."""
        return self._epoll.poll(self._patience()) or self._epoll.poll(0)

    def _hear(self, found: list[tuple[int, int]]) -> None:
        for fd, events in found:
            if fd == self._wake:
                self._drain()
            elif callback := self._callbacks.get(fd):
                self._guard(callback, events)

    def _patience(self) -> float:
        if not self._timers:
            return -1
        return min(LONGEST, max(0.0, self._timers[0][0] - time.monotonic()))

    def _drain(self) -> None:
        os.eventfd_read(self._wake)
        self._woken = False
        for _ in range(len(self._messages)):  # what these send is for the next round
            self._guard(self._messages.popleft())

    def _run_timers(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.function:
                self._guard(timer.function)

    def _guard(self, function: Callable[..., object], *arguments: object) -> None:
        try:
            function(*arguments)
        except Exception:  # one bad connection or host must not end the thread that serves all
            log.exception("%s: a callback failed", self._thread.name)
