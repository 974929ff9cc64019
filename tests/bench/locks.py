"""What locks cost: tasks that wait for them, conflicts, and starts beside both."""

import time
from collections.abc import Iterable, Iterator
from itertools import count, islice
from statistics import median

from tests.bench import releases
from tests.bench.daemon import Daemon
from tests.bench.figures import Figure
from tests.bench.lines import WAITING, Requests, hold, start, waits
from tests.bench.memory import resident

RESOURCES = 100
STARTS = 2000  # of one half of a pair
PAIRS = 7
CHILDREN = 1000


def measure() -> Iterator[Figure]:
    with Daemon() as empty, Daemon() as crowded:
        empty.warm_up()
        crowded.warm_up()
        yield _crowd(crowded)
        yield _speed_beside(crowded, empty)
        yield _speed_with_a_lock(empty)
        yield from releases.measure(crowded)
    yield _conflicts()
    yield _kin()


def _crowd(daemon: Daemon) -> Figure:
    """They wait from here on, behind tasks that snooze."""
    locks = [f"crowd:{number}" for number in range(RESOURCES)]
    hold(daemon, locks)
    before = resident(daemon.pid)
    begin = time.perf_counter()
    start(daemon, [waits("noop", lock) for lock in locks] * (WAITING // RESOURCES))
    seconds = time.perf_counter() - begin
    added = resident(daemon.pid) - before
    name = f"{WAITING:,} that wait for {RESOURCES} locks add"
    note = f"accepted {WAITING / seconds:,.0f}/s"
    return Figure(name, added, "MB", 30, at_most=True, note=note)


def _speed_beside(crowded: Daemon, empty: Daemon) -> Figure:
    requests = [{"action": "noop"}] * STARTS
    pairs = [(_speed(crowded, requests), _speed(empty, requests)) for _ in range(PAIRS)]
    return _share("speed while they wait, of that without", pairs, 80)


def _speed_with_a_lock(daemon: Daemon) -> Figure:
    locks = (f"free:{number}" for number in count())
    pairs = []
    for _ in range(PAIRS):
        free = [{"action": "noop", "locks": [lock]} for lock in islice(locks, STARTS)]
        pairs.append((_speed(daemon, free), _speed(daemon, [{"action": "noop"}] * STARTS)))
    return _share("speed with a free lock, of that without", pairs)


def _conflicts() -> Figure:
    """Tasks that pause at once, since others hold what they want."""
    with Daemon() as many, Daemon() as few:
        wanted_of_many = _held(many, WAITING)
        wanted_of_few = _held(few, 10)
        pairs = [
            (_speed(many, wanted_of_many, "paused"), _speed(few, wanted_of_few, "paused"))
            for _ in range(PAIRS)
        ]
    speed = median(first for first, _ in pairs)
    share = median(first / second for first, second in pairs)
    note = f"{share:.0%} of that with 10 held"
    return Figure(f"conflicts, {WAITING:,} locks held", speed, "starts/s", note=note)


def _held(daemon: Daemon, number: int) -> Requests:
    """Tasks hold so many locks; the requests want some of them."""
    daemon.warm_up()
    hold(daemon, [f"held:{each}" for each in range(number)])
    return [{"action": "noop", "locks": [f"held:{7 * i % number}"]} for i in range(STARTS)]


def _kin() -> Figure:
    """Sub-tasks that want one lock, of a task that holds another one."""
    with Daemon() as daemon:
        daemon.warm_up("in-turn")
        newest = daemon.newest
        begin = time.perf_counter()
        task = daemon.client.start("split.in-turn", {"count": CHILDREN}, locks=["bench:all"])
        daemon.client.wait(task.id)
        speed = CHILDREN / (time.perf_counter() - begin)
        daemon.check(1 + CHILDREN, newest)
        alone = _speed(daemon, [{"action": "in-turn"}] * CHILDREN)
    note = f"as many without a parent {alone:,.0f}/s"
    return Figure(f"{CHILDREN:,} sub-tasks in turn", speed, "tasks/s", note=note)


def _speed(daemon: Daemon, requests: Requests, state: str = "stopped") -> float:
    """Tasks a second, until all are stopped or paused, as `state` says."""
    newest = daemon.newest
    begin = time.perf_counter()
    daemon.run_all([("tasks.start", request) for request in requests])
    seconds = time.perf_counter() - begin
    daemon.check(len(requests), newest, state)
    return len(requests) / seconds


def _share(name: str, pairs: Iterable[tuple[float, float]], target: float | None = None) -> Figure:
    """Of two speeds, each pair taken one right after the other: a busy moment hits both."""
    shares = [100 * first / second for first, second in pairs]
    note = f"median of {len(shares)} pairs, {min(shares):.0f}–{max(shares):.0f}"
    return Figure(name, median(shares), "%", target, note=note)
