"""Exports of a million tasks with three steps, and what it takes to bring them back."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.daemon import Daemon
from tests.bench.figures import Figure
from tests.bench.million import TASKS, fill
from tests.real_daemon import peak_memory

TASKCTL = str(Path(sys.executable).with_name("taskctl"))
PAGES = 20_000
TARGETS = {"csv": 30_000, "jsonl": 15_000}


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="tb", dir="/var/tmp") as folder:
        with Daemon(prepare=fill) as daemon:
            before = peak_memory(daemon.pid)
            for form, target in TARGETS.items():
                words = ("--search", "id > 0", "--format", form, "--file", f"{folder}/{form}")
                yield _run(daemon, f"export {form}", TASKS, "tasks/s", target, "export", *words)
            words = ("--search", f"id <= {PAGES}", "--file", f"{folder}/html")
            yield _run(daemon, "export html", PAGES, "pages/s", 1000, "export", *words)
            yield _added(daemon, before, "exports")
        with Daemon() as daemon:
            before = peak_memory(daemon.pid)
            file = f"{folder}/jsonl"
            yield _run(daemon, "import", TASKS, "tasks/s", 10_000, "import", file)
            yield _added(daemon, before, "import")


def _run(daemon: Daemon, name: str, count: int, unit: str, target: int, *words: str) -> Figure:
    """How many a second; beside it the most memory that `taskctl` has had."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [TASKCTL, *words],
        env=daemon.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    speed = count / (time.perf_counter() - begin)
    note = f"taskctl had at most {usage.ru_maxrss >> 10} MB"
    return Figure(f"{name}, {count:,}", speed, unit, target, note=note)


def _added(daemon: Daemon, before: int, name: str) -> Figure:
    added = (peak_memory(daemon.pid) - before) / 1e6
    return Figure(f"{name}: the daemon grew by at most", added, "MB", 150, at_most=True)
