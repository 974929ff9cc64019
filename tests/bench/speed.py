"""Tasks a second, from the first request until the last task has stopped."""

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from tests.bench.daemon import SLOTS, WINDOW, Daemon, in_flight
from tests.bench.figures import Figure

COUNT = 10_000
RUNS = 3
PART = 500  # tasks a `start_many`
CHILDREN = 1000

Requests = list[tuple[str, dict[str, Any]]]


def measure() -> Iterator[Figure]:
    yield _figure("one step", _single("noop"), 5000)
    yield _figure("three steps", _single("noop.thrice"), 2500)
    yield _figure(f"one step, start_many of {PART}", _many("noop"), None)
    yield _figure(f"three steps, start_many of {PART}", _many("noop.thrice"), None)
    speeds = [_split() for _ in range(RUNS)]
    note = f"median of {_range(speeds)}"
    yield Figure(
        f"{CHILDREN:,} sub-tasks of one parent", median(speeds), "tasks/s", 2000, note=note
    )


def _split() -> float:
    """Sub-tasks a second, from the request until the parent has stopped."""
    with Daemon() as daemon:
        daemon.warm_up()
        begin = time.perf_counter()
        task = daemon.client.start("split", {"count": CHILDREN})
        daemon.client.wait(task.id)
        seconds = time.perf_counter() - begin
        daemon.check(1 + CHILDREN + 50 * SLOTS)
    return CHILDREN / seconds


def _single(action: str) -> Requests:
    return [("tasks.start", {"action": action})] * COUNT


def _many(action: str) -> Requests:
    requests = [{"action": action}] * PART
    return [("tasks.start_many", {"requests": requests})] * (COUNT // PART)


def _figure(name: str, requests: Requests, target: float | None) -> Figure:
    runs = [_run(requests) for _ in range(RUNS)]
    speeds = [COUNT / total for total, _ in runs]
    started = COUNT / median(accepted for _, accepted in runs)
    note = f"median of {_range(speeds)}; accepted {started:,.0f}/s"
    return Figure(name, median(speeds), "tasks/s", target, note=note)


def _range(values: list[float]) -> str:
    return f"{RUNS}, {min(values):,.0f}–{max(values):,.0f}"


def _run(requests: Requests) -> tuple[float, float]:
    """Seconds until all have stopped, and until all were answered."""
    many = requests[0][0] == "tasks.start_many"
    with Daemon() as daemon:
        daemon.warm_up()
        begin = time.perf_counter()
        for _ in in_flight(daemon.client, requests, 2 if many else WINDOW):
            pass
        accepted = time.perf_counter() - begin
        daemon.wait_for_all()
        total = time.perf_counter() - begin
        daemon.check(COUNT + 50 * SLOTS)
    return total, accepted
