"""Benchmarks: `python -m tests.bench [GROUP…]`, by default all but `peers`; see GROUPS.

Each on a fresh daemon with its default settings (durable, process isolation, 4 slots), through the
socket. Figures are for people to read: nothing fails when one is missed. A noisy one was taken
while the processors were busy with something else, just before or after it.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator

from tests.bench import (
    cleanup,
    command,
    dashboard,
    exports,
    latency,
    limits,
    locks,
    memory,
    peers,
    schedule,
    search,
    speed,
)
from tests.bench.figures import Figure, busy_with_others, headline, line

GROUPS: dict[str, Callable[[], Iterator[Figure]]] = {
    "speed": speed.measure,
    "latency": latency.measure,
    "command": command.measure,
    "memory": memory.measure,
    "locks": locks.measure,
    "search": search.measure,
    "schedule": schedule.measure,
    "dashboard": dashboard.measure,
    "cleanup": cleanup.measure,
    "limits": limits.measure,
    "exports": exports.measure,
    "peers": peers.measure,
}


def main(words: list[str]) -> int:
    chosen = words or [name for name in GROUPS if name != "peers" or os.environ.get("PEERS")]
    if unknown := [name for name in chosen if name not in GROUPS]:
        print(f"no group {', '.join(unknown)}; there are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no daemon is left behind
    print(headline(), flush=True)
    for name in chosen:
        print(f"\n{name}", flush=True)
        before = busy_with_others()
        for figure in GROUPS[name]():
            after = busy_with_others()
            print(f"  {line(figure, max(before, after))}", flush=True)
            before = after
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
