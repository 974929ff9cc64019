"""What goes on among a million tasks, on one page."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench.command import _race
from tests.bench.daemon import Daemon
from tests.bench.figures import Figure
from tests.bench.million import TASKS, fill
from tests.bench.search import _ms

TASKCTL = str(Path(sys.executable).with_name("taskctl"))


def measure() -> Iterator[Figure]:
    with Daemon(prepare=fill) as daemon:
        asked = _ms(partial(daemon.client.ask, "dashboard.get"))
        yield Figure(f"dashboard of {TASKS:,} tasks", asked, "ms", 200, at_most=True)
        commands = {"dashboard": [TASKCTL, "dashboard"]}
        whole = 1000 * _race(commands, daemon.environment)["dashboard"]
        yield Figure("taskctl dashboard, whole process", whole, "ms", 300, at_most=True)
