"""What one client that waits sees: starts a second, and how soon a step is at work."""

import time
from collections.abc import Iterator
from statistics import median, quantiles

from tests.bench.daemon import SLOTS, Daemon
from tests.bench.figures import Figure

STARTS = 3000
PROBES = 400
PAUSE = 0.01  # between two probes, so that the daemon is idle


def measure() -> Iterator[Figure]:
    yield _starts()
    yield from _begins()


def _starts() -> Figure:
    with Daemon() as daemon:
        daemon.warm_up()
        begin = time.perf_counter()
        for _ in range(STARTS):
            daemon.client.ask("tasks.start", action="noop")
        seconds = time.perf_counter() - begin
        daemon.wait_for_all()
        daemon.check(STARTS + 50 * SLOTS)
    return Figure("one client that waits", STARTS / seconds, "starts/s", 1000)


def _begins() -> Iterator[Figure]:
    """The step itself tells when it runs, so the way to its host is in it."""
    with Daemon() as daemon:
        daemon.warm_up("tell-time")
        probes = [_probe(daemon) for _ in range(PROBES)]
        daemon.check(PROBES + 50 * SLOTS)
    whole = [begun - sent for sent, begun, _ in probes]
    inside = [begun - created for _, begun, created in probes]
    yield Figure("request → step at work, p50", _ms(median(whole)), "ms", 2, at_most=True)
    yield Figure("request → step at work, p99", _ms(quantiles(whole, n=100)[98]), "ms")
    note = f"p99 {_ms(quantiles(inside, n=100)[98]):.2f} ms"
    yield Figure("task's created_at → step at work, p50", _ms(median(inside)), "ms", note=note)


def _probe(daemon: Daemon) -> tuple[float, float, float]:
    """When it was asked for, when its step ran, when the task was created."""
    time.sleep(PAUSE)
    sent = time.time()
    task_id = daemon.client.ask("tasks.start", action="tell-time")["id"]
    task = daemon.client.wait(task_id)
    return sent, float(task.output), task.created_at.timestamp()


def _ms(seconds: float) -> float:
    return seconds * 1000
