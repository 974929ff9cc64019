"""The daemon under load: `taskctl list` as a whole process, its memory, and how soon it is back."""

import contextlib
import os
import resource
import subprocess
import time
from collections.abc import Iterator
from statistics import median, quantiles
from typing import Any

from taskd.client import Client
from tests.bench.daemon import Daemon, in_flight
from tests.bench.figures import Figure
from tests.bench.lines import hold, settle, start, waits
from tests.bench.memory import resident
from tests.real_daemon import COMMANDS, processes_of

CLIENTS = 1000
QUEUED = 100_000
UNFINISHED = 10_000
PART = 1000  # tasks a `start_many`
LISTS = 100
STARTS = 3
RUNNING = 32  # steps, half of them commands
HELD = 100  # locks


def measure() -> Iterator[Figure]:
    yield from _idle_clients()
    yield from _queued()
    yield from _writing()
    yield _start()


def _idle_clients() -> Iterator[Figure]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Daemon() as daemon, contextlib.ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(2 * CLIENTS, hard), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(CLIENTS):
            stack.enter_context(Client(daemon.state / "taskd.sock"))
        yield from _figures(f"{CLIENTS:,} idle clients", daemon)


def _queued() -> Iterator[Figure]:
    part = ("tasks.start_many", {"requests": [{"action": "noop"}] * PART})
    with Daemon(executor_slots=1) as daemon:
        daemon.client.start("occupy")
        for _ in in_flight(daemon.client, [part] * (QUEUED // PART), 2):
            pass
        yield from _figures(f"{QUEUED:,} queued", daemon)


def _writing() -> Iterator[Figure]:
    with Daemon() as daemon:
        _exec(daemon, "yes")
        yield from _figures("a step that writes", daemon)


def _figures(what: str, daemon: Daemon) -> Iterator[Figure]:
    commands, answers = ([1000 * look(daemon) for _ in range(LISTS)] for look in (_list, _find))
    note = f"p50 {median(commands):.0f} ms; the daemon alone p99 {_p99(answers):.1f} ms"
    name = f"taskctl list, {what}, p99"
    yield Figure(name, _p99(commands), "ms", 300, at_most=True, note=note)
    yield Figure(f"daemon, {what}", resident(daemon.pid), "MB", 200, at_most=True)


def _list(daemon: Daemon) -> float:
    begin = time.perf_counter()
    subprocess.run(
        [COMMANDS / "taskctl", "list"], env=daemon.environment, capture_output=True, check=True
    )
    return time.perf_counter() - begin


def _find(daemon: Daemon) -> float:
    """What `taskctl list` asks for."""
    begin = time.perf_counter()
    with Client(daemon.state / "taskd.sock") as client:
        client.find()
    return time.perf_counter() - begin


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]


def _start() -> Figure:
    """Of a daemon that was killed with half of what ran its steps."""
    seconds = []
    for _ in range(STARTS):
        with Daemon(executor_slots=RUNNING) as daemon:
            _leave_unfinished(daemon)
            others = [pid for pid in processes_of(daemon.state) if pid != daemon.pid]
            seconds.append(daemon.kill_and_start(others[::2]))
    note = f"median of {STARTS}, {min(seconds):.2f}–{max(seconds):.2f}"
    name = f"start with {UNFINISHED:,} unfinished tasks"
    return Figure(name, median(seconds), "s", 2, at_most=True, note=note)


def _leave_unfinished(daemon: Daemon) -> None:
    """They snooze, wait for locks, are paused for want of them, are queued; some run."""
    locks = [f"held:{number}" for number in range(HELD)]
    quarter = UNFINISHED // 4
    hold(daemon, locks)
    kinds: list[dict[str, Any]] = [
        {"action": "sleepy"},
        waits("noop", locks[0]),
        {"action": "noop", "locks": locks[:1]},
    ]
    for kind in kinds:
        start(daemon, [kind] * quarter)
        settle(daemon)
    start(daemon, [{"action": "occupy"}] * (RUNNING // 2))
    for _ in range(RUNNING // 2):
        _exec(daemon, "sleep 600")
    while daemon.client.status()["running_steps"] < RUNNING:
        time.sleep(0.05)
    start(daemon, [{"action": "noop"}] * quarter)


def _exec(daemon: Daemon, command: str) -> None:
    environment = {"PATH": os.environ["PATH"]}
    daemon.client.ask("tasks.exec", command=command, cwd="/", environment=environment)
