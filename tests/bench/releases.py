"""How soon the next one in line is at work when a lock is released."""

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from statistics import median, quantiles

from tests.bench.daemon import Daemon
from tests.bench.figures import Figure
from tests.bench.lines import WAITING, hold, settle, start, waits

STEPS = 1000
PROBES = 300
SHORT = 10


def measure(crowded: Daemon) -> Iterator[Figure]:
    """`crowded`: many wait there for other locks."""
    crowded.warm_up("tell-time")
    yield from _in_turn(crowded)
    probes = [(_plain(crowded), _cancelled(crowded, f"probe:{i}")) for i in range(PROBES)]
    plain, cancelled = ([1000 * seconds for seconds in each] for each in zip(*probes, strict=True))
    note = f"a start without a lock p50 {median(plain):.2f} ms, p99 {_p99(plain):.2f} ms"
    yield from _figures("cancel of a holder → next one at work", cancelled, note)
    yield _length_of_a_line()


def _in_turn(daemon: Daemon) -> Iterator[Figure]:
    """Each step tells when it runs, which is all that it does."""
    (holder,) = hold(daemon, ["turn:all"])
    start(daemon, [waits("tell-time", "turn:all")] * STEPS)
    daemon.client.cancel(holder)
    daemon.wait_for_all(holder)
    daemon.check(STEPS, holder)
    with daemon.store() as store:
        steps = list(pairwise(store.execute(_STEPS, (holder,))))
    gaps = [1000 * (json.loads(after[2]) - json.loads(before[2])) for before, after in steps]
    at_once = sum(before[1] == after[0] for before, after in steps)
    note = f"{at_once} of {len(steps)} in the commit that released the lock"
    yield from _figures("step's end → next one at work", gaps, note)


def _plain(daemon: Daemon) -> float:
    """Seconds from a request until its step is at work."""
    sent = time.time()
    task = daemon.client.start("tell-time")
    return float(daemon.client.wait(task.id).output) - sent


def _cancelled(daemon: Daemon, lock: str) -> float:
    """Seconds from the request to cancel a holder until the step of who waited is at work."""
    (holder,) = hold(daemon, [lock])
    (waiting,) = start(daemon, [waits("tell-time", lock)])
    settle(daemon)
    sent = time.time()
    daemon.client.cancel(holder)
    return float(daemon.client.wait(waiting).output) - sent


def _length_of_a_line() -> Figure:
    """The request to cancel a holder is answered when the next one has the lock."""
    with Daemon() as daemon:
        daemon.warm_up()
        lines: dict[str, list[int]] = {}
        for length in (SHORT, WAITING):
            lock = f"line:{length}/use"
            lines[lock] = hold(daemon, [lock]) + start(daemon, [waits("sleepy", lock)] * length)
        seconds = [[_release(daemon, *each) for each in lines.items()] for _ in range(PROBES)]
    short, long = (1000 * median(times) for times in zip(*seconds, strict=True))
    note = f"p50 {long:.2f} ms and {short:.2f} ms"
    name = f"release, {WAITING:,} in line against {SHORT}"
    return Figure(name, long / short, "×", 2, at_most=True, note=note)


def _release(daemon: Daemon, lock: str, line: list[int]) -> float:
    """Seconds. The line is as long as before."""
    begin = time.perf_counter()
    daemon.client.cancel(line.pop(0))
    seconds = time.perf_counter() - begin
    line += start(daemon, [waits("sleepy", lock)])
    settle(daemon)
    return seconds


_STEPS = (
    "SELECT started_at, ended_at, output FROM steps WHERE task_id > ? AND number = 1"
    " ORDER BY task_id"
)


def _figures(name: str, milliseconds: list[float], note: str = "") -> Iterator[Figure]:
    yield Figure(f"{name}, p50", median(milliseconds), "ms")
    yield Figure(f"{name}, p99", _p99(milliseconds), "ms", 5, at_most=True, note=note)


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]
