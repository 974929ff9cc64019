"""A million old tasks are deleted while a client starts others: how fast, and what it notices.

What the client really waits is the figure. What it waits before, with no cleanup beside, says how
much of that is the disk's. So does a program that syncs a page, again and again: how long that
stands still is told, too, whoever's writes are the cause.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple, Self

from taskd.client import Client
from tests.bench.daemon import Daemon
from tests.bench.figures import Figure
from tests.bench.million import TASKS, fill
from tests.real_daemon import eventually

BEFORE = 30  # seconds
PAUSE = 0.01  # seconds between two starts
PATIENCE = 50  # ms
PAGE, STALL = bytes(4096), 10  # ms from which on the disk stands still
OLD = "label != noop"  # all but those that are started meanwhile
STOPPED = TASKS - TASKS // 200


def measure() -> Iterator[Figure]:
    for backup, rate in ((False, 20_000), (True, 10_000)):
        with Daemon(prepare=fill) as daemon:
            daemon.warm_up()
            if not backup:
                yield from _noop(daemon)
            yield from _cleanup(daemon, backup=backup, rate=rate)


def _noop(daemon: Daemon) -> Iterator[Figure]:
    begin = time.perf_counter()
    (part,) = daemon.client.cleanup(OLD, noop=True)["parts"]
    seconds = time.perf_counter() - begin
    _check(part["matched"])
    yield Figure(f"cleanup --noop of {TASKS:,} tasks", seconds, "s", 2, at_most=True)


def _cleanup(daemon: Daemon, *, backup: bool, rate: int) -> Iterator[Figure]:
    size = _size(daemon)
    how = "with a backup" if backup else "without"
    with Watch(daemon) as before:
        time.sleep(BEFORE)
    with Watch(daemon) as meanwhile:
        begin = time.perf_counter()
        (part,) = daemon.client.cleanup(OLD, backup=backup)["parts"]
        cleaned = time.perf_counter()
        eventually(lambda: _size(daemon) < size / 10, 600)
        small = time.perf_counter()
    _check(part["deleted"])
    per_second = STOPPED / (cleaned - begin)
    yield Figure(f"cleanup of {TASKS:,} tasks, {how}", per_second, "tasks/s", rate)
    yield meanwhile.figure(f"… a start meanwhile waits, {how}", PATIENCE)
    yield before.figure(f"… a start waits in the {BEFORE} s before")
    note = f"{size >> 20} MiB → {_size(daemon) >> 20} MiB"
    yield Figure("… until the file is small", small - cleaned, "s", note=note)


def _check(count: int) -> None:
    if count != STOPPED:
        raise RuntimeError(f"{count} tasks instead of {STOPPED}")


def _size(daemon: Daemon) -> int:
    return Path(daemon.state / "taskd.db").stat().st_size


class Span(NamedTuple):
    """Of time, in seconds."""

    begin: float
    end: float

    @property
    def milliseconds(self) -> float:
        return (self.end - self.begin) * 1000


class Again:
    """Does something again and again, in a thread. `waits`: when, and how long each took."""

    def __init__(self, do: Callable[[], object]) -> None:
        self.waits: list[Span] = []
        self._do = do
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._repeat)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _repeat(self) -> None:
        while not self._over.wait(PAUSE):
            begin = time.perf_counter()
            self._do()
            self.waits.append(Span(begin, time.perf_counter()))

    def stalls(self, span: Span) -> float:
        """How long it stood still within, in ms."""
        stalls = [wait for wait in self.waits if wait.milliseconds > STALL]
        within = [min(span.end, each.end) - max(span.begin, each.begin) for each in stalls]
        return 1000 * sum(seconds for seconds in within if seconds > 0)


class Watch:
    """What a client waits that starts tasks, beside a program that syncs a page of its own."""

    def __init__(self, daemon: Daemon) -> None:
        self._open = ExitStack()
        file = self._open.enter_context((daemon.state / "page").open("wb", buffering=0))
        client = self._open.enter_context(Client(daemon.state / "taskd.sock"))
        self._disk = Again(lambda: (os.pwrite(file.fileno(), PAGE, 0), os.fdatasync(file)))
        self._starts = Again(lambda: client.ask("tasks.start", action="noop"))

    def __enter__(self) -> Self:
        for each in (self._disk, self._starts):
            self._open.enter_context(each)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def figure(self, name: str, target: float | None = None) -> Figure:
        waits = [wait.milliseconds for wait in self._starts.waits]
        own = [wait.milliseconds - self._disk.stalls(wait) for wait in self._starts.waits]
        late = sum(each > PATIENCE for each in waits)
        p99 = quantiles(waits, n=100)[98]
        note = f"p99 {p99:.1f} ms, {late} of {len(waits):,} above {PATIENCE};"
        note += f" without stalls of the disk {max(own):.0f} ms"
        return Figure(name, max(waits), "ms", target, at_most=True, note=note)
