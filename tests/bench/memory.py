"""What a daemon and a host hold in memory, idle and with many tasks that wait."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.daemon import Daemon, in_flight
from tests.bench.figures import Figure

WAITING = 100_000
PART = 1000


def measure() -> Iterator[Figure]:
    yield from _idle()
    yield _waiting()


def _idle() -> Iterator[Figure]:
    with Daemon(host_idle="1s") as daemon:
        yield Figure("idle daemon, no hosts", _resident(daemon.pid), "MB", 50, at_most=True)
        daemon.warm_up()
        hosts = daemon.hosts()
        size = median(map(_resident, hosts))
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
        before = _resident(daemon.pid)
        begin = time.perf_counter()
        for _ in in_flight(daemon.client, [part] * (WAITING // PART), 2):
            pass
        seconds = time.perf_counter() - begin
        added = _resident(daemon.pid) - before
        peak = _status(daemon.pid, "VmHWM") - before
    note = f"at the most {peak:.0f} MB; accepted {WAITING / seconds:,.0f}/s"
    return Figure(f"{WAITING:,} waiting tasks add", added, "MB", 30, at_most=True, note=note)


def _resident(pid: int) -> float:
    return _status(pid, "VmRSS")


def _status(pid: int, name: str) -> float:
    """A size of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ProcessLookupError(f"process {pid} has ended")
