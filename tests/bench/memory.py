"""What a daemon and a host hold in memory, idle and with many tasks that wait."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.daemon import Daemon, in_flight
from tests.bench.figures import Figure

WAITING = 100_000
SNOOZING = 10_000
PART = 1000
QUIET = 3.0  # seconds of looking whether the daemon does something


def measure() -> Iterator[Figure]:
    yield from _idle()
    yield _waiting()
    yield from _snoozing()


def _idle() -> Iterator[Figure]:
    with Daemon(host_idle="1s") as daemon:
        yield Figure("idle daemon, no hosts", resident(daemon.pid), "MB", 50, at_most=True)
        daemon.warm_up()
        hosts = daemon.hosts()
        size = median(map(resident, hosts))
        yield Figure("a host", size, "MB", 20, at_most=True, note=f"median of {len(hosts)}")
        begin = time.monotonic()
        while daemon.hosts() and time.monotonic() < begin + 10:
            time.sleep(0.02)
        seconds = time.monotonic() - begin
        note = f"{len(daemon.hosts())} left"
        yield Figure("hosts end with host_idle=1s", seconds, "s", 3, at_most=True, note=note)


def _waiting() -> Figure:
    requests = [{"action": "noop"}] * PART
    part = ("tasks.start_many", {"requests": requests})
    with Daemon(executor_slots=1) as daemon:
        daemon.client.start("occupy")
        before = resident(daemon.pid)
        begin = time.perf_counter()
        for _ in in_flight(daemon.client, [part] * (WAITING // PART), 2):
            pass
        seconds = time.perf_counter() - begin
        added = resident(daemon.pid) - before
        peak = _status(daemon.pid, "VmHWM") - before
    note = f"at the most {peak:.0f} MB; accepted {WAITING / seconds:,.0f}/s"
    return Figure(f"{WAITING:,} waiting tasks add", added, "MB", 30, at_most=True, note=note)


def _snoozing() -> Iterator[Figure]:
    """Steps that wait for their time cost no thread, no host and no wake-up."""
    requests = [{"action": "sleepy"}] * PART
    with Daemon(host_idle="1s") as daemon:
        threads = _count(daemon.pid, "Threads")
        for _ in range(SNOOZING // PART):
            daemon.client.start_many(requests)
        while daemon.client.status()["running_steps"] or daemon.hosts():
            time.sleep(0.1)
        before = _switches(daemon.pid)
        time.sleep(QUIET)
        woken = _switches(daemon.pid) - before
        more = _count(daemon.pid, "Threads") - threads
    name = f"{SNOOZING:,} snoozing tasks wake the daemon"
    note = f"{more} threads more than before, no host"
    yield Figure(name, woken / QUIET, "times/s", 1, at_most=True, note=note)


def _switches(pid: int) -> int:
    """How often its threads have begun to wait so far."""
    tasks = Path(f"/proc/{pid}/task").glob("*/status")
    return sum(_field(file, "voluntary_ctxt_switches") for file in tasks)


def _count(pid: int, name: str) -> int:
    return _field(Path(f"/proc/{pid}/status"), name)


def _field(file: Path, name: str) -> int:
    lines = (line.partition(":") for line in file.read_text().splitlines())
    return next(int(value.split()[0]) for found, _, value in lines if found == name)


def resident(pid: int) -> float:
    """What a process holds in memory, in MB."""
    return _status(pid, "VmRSS")


def _status(pid: int, name: str) -> float:
    """A size of a process, in MB."""
    return _count(pid, name) * 1024 / 1e6
