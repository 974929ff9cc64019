"""A million old tasks are deleted while a client starts others: how fast, and what it notices."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

from taskd.client import Client
from tests.bench.daemon import Daemon
from tests.bench.figures import Figure
from tests.bench.million import TASKS, fill
from tests.real_daemon import eventually

PAUSE = 0.01  # between two starts
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
    with Starts(daemon) as starts:
        begin = time.perf_counter()
        (part,) = daemon.client.cleanup(OLD, backup=backup)["parts"]
        seconds = time.perf_counter() - begin
        _check(part["deleted"])
        yield Figure(f"cleanup of {TASKS:,} tasks, {how}", STOPPED / seconds, "tasks/s", rate)
        begin = time.perf_counter()
        eventually(lambda: _size(daemon) < size / 10, 600)
        shrunk = time.perf_counter() - begin
    note = f"p99 {quantiles(starts.waits, n=100)[98]:.1f} ms of {len(starts.waits)}"
    worst = max(starts.waits)
    yield Figure(f"… a start meanwhile waits, {how}", worst, "ms", 50, at_most=True, note=note)
    note = f"{size >> 20} MiB → {_size(daemon) >> 20} MiB"
    yield Figure("… until the file is small", shrunk, "s", note=note)


def _check(count: int) -> None:
    if count != STOPPED:
        raise RuntimeError(f"{count} tasks instead of {STOPPED}")


def _size(daemon: Daemon) -> int:
    return Path(daemon.state / "taskd.db").stat().st_size


class Starts:
    """A client that starts a task again and again. `waits`: how long each took, in ms."""

    def __init__(self, daemon: Daemon) -> None:
        self.waits: list[float] = []
        self._daemon = daemon
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._start)

    def __enter__(self) -> "Starts":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _start(self) -> None:
        with Client(self._daemon.state / "taskd.sock") as client:
            while not self._over.wait(PAUSE):
                begin = time.perf_counter()
                client.ask("tasks.start", action="noop")
                self.waits.append((time.perf_counter() - begin) * 1000)
