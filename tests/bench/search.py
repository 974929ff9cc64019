"""Finding tasks among a million: in the daemon, beside hand-written SQL, and while others start."""

import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from taskd.client import Client
from taskd.search.asker import Asker
from taskd.search.condition import condition
from taskd.search.parser import parse
from taskd.store import listing
from tests.bench.command import _race
from tests.bench.daemon import Daemon
from tests.bench.figures import Figure
from tests.bench.memory import resident
from tests.bench.million import TASKS, fill, moment

TASKCTL = str(Path(sys.executable).with_name("taskctl"))
ROUNDS = 15
PAGE = 20
DEEP = 5000  # pages
STARTS = 1500
PAIRS = 5

_ASKER = Asker("ana", 1000, datetime.now(UTC))
_BY_HAND = "SELECT * FROM tasks WHERE {} ORDER BY id DESC LIMIT 20"
PAGES = {
    "state = paused": "state = 'paused' AND state <> 'stopped'",
    "label = common": "label = 'common'",
    f"result = error and started_at > {moment(0.9)}": "result = 'error'"
    " AND result NOT IN ('pending', 'success') AND +started_at > 1700900000000000",
    "user = rare": "user = 'rare'",
    "": "1",
}
NAMES = {"name ~ blog": 5, "name ~ zebra": 150, "name ~ absent": 150}
COUNTS = ("", "state = paused", "label = common", "user = ana", "result = error",
          f"started_at > {moment(0.5)}")  # fmt: skip


def measure() -> Iterator[Figure]:
    with Daemon() as empty:
        bare = resident(empty.pid)
    with Daemon(prepare=fill) as daemon:
        yield from _pages(daemon)
        yield from _names(daemon)
        yield _deep(daemon)
        yield from _counts(daemon)
        added = resident(daemon.pid) - bare
        yield Figure(f"{TASKS:,} tasks add to the daemon", added, "MB", 16, at_most=True)
        yield _beside_a_scan(daemon)
        yield from _commands(daemon)


def _pages(daemon: Daemon) -> Iterator[Figure]:
    for query, test in PAGES.items():
        with daemon.store() as store:
            by_hand = _ms(partial(_fetch, store, _BY_HAND.format(test)))
            ours = _ms(partial(_look_up, store, query))
        found = _ms(partial(daemon.client.ask, "tasks.find", search=query))
        note = f"{by_hand:.2f} ms by hand, without the daemon"
        yield Figure(
            f"page: {query or 'newest first'}"[:42], found, "ms", 5, at_most=True, note=note
        )
        yield Figure("  its SQL, of that by hand", ours / by_hand, "×", 3, at_most=True)


def _fetch(store: sqlite3.Connection, statement: str) -> object:
    return store.execute(statement).fetchall()


def _look_up(store: sqlite3.Connection, query: str) -> object:
    """As the daemon asks the store, from the text of the query on."""
    where = condition(parse(query, _ASKER), _ASKER)
    [statement] = listing.statements(where, listing.NEWEST_FIRST, None, _ASKER.now)
    return store.execute(statement.text, (*statement.values, PAGE)).fetchall()


def _names(daemon: Daemon) -> Iterator[Figure]:
    for query, target in NAMES.items():
        found = _ms(partial(daemon.client.ask, "tasks.find", search=query))
        yield Figure(f"page: {query}", found, "ms", target, at_most=True)


def _deep(daemon: Daemon) -> Figure:
    """By key: as if 4,999 pages had been turned."""
    first = _ms(lambda: daemon.client.ask("tasks.find"))
    after = str(TASKS - DEEP * PAGE)
    deep = _ms(lambda: daemon.client.ask("tasks.find", after=after))
    return Figure(f"page {DEEP:,}, of page 1", deep / first, "×", 2, at_most=True)


def _counts(daemon: Daemon) -> Iterator[Figure]:
    for query in COUNTS:
        found = _ms(partial(daemon.client.count, query))
        yield Figure(f"count: {query or 'all'}"[:42], found, "ms", 100, at_most=True)


def _beside_a_scan(daemon: Daemon) -> Figure:
    """Starts of one client while another has all tasks read, again and again."""
    daemon.warm_up()
    shares = []
    for _ in range(PAIRS):
        plain = _starts(daemon)
        with _Scanning(daemon):
            shares.append(100 * plain / _starts(daemon))
    return Figure("starts while all tasks are read", median(shares), "%", 70)


def _starts(daemon: Daemon) -> float:
    """Seconds that they take."""
    begin = time.perf_counter()
    for _ in range(STARTS):
        daemon.client.ask("tasks.start", action="noop")
    return time.perf_counter() - begin


class _Scanning:
    def __init__(self, daemon: Daemon) -> None:
        self._going_on = True
        self._thread = threading.Thread(target=self._scan, args=(daemon,))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._going_on = False
        self._thread.join()

    def _scan(self, daemon: Daemon) -> None:
        with Client(daemon.state / "taskd.sock") as client:
            while self._going_on:
                client.count("name ~ absent or label ~ absent")


def _commands(daemon: Daemon) -> Iterator[Figure]:
    at_a_tab = ["env", "_TASKCTL_COMPLETE=zsh", TASKCTL, "list", "--search"]
    commands = {
        "taskctl list": [TASKCTL, "list", "--search", "state = paused"],
        "completion of fields": [*at_a_tab, ""],
        "completion of values": [*at_a_tab, "label = "],
    }
    for name, seconds in _race(commands, daemon.environment).items():
        yield Figure(f"{name}, whole process", 1000 * seconds, "ms", 150, at_most=True)


def _ms(ask: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - begin)
    return 1000 * median(taken)
