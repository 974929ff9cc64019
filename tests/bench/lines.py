"""Tasks that hold locks, and those that wait for them in lines."""

import time
from collections.abc import Iterable
from typing import Any

from tests.bench.daemon import Daemon

WAITING = 10_000
PART = 1000  # tasks a `start_many`
PAUSE = 0.01  # between two looks

Requests = list[dict[str, Any]]


def hold(daemon: Daemon, locks: Iterable[str]) -> list[int]:
    """Tasks that hold one of these each, and snooze."""
    ids = start(daemon, [{"action": "sleepy", "locks": [lock]} for lock in locks])
    settle(daemon)
    return ids


def waits(action: str, lock: str) -> dict[str, Any]:
    return {"action": action, "locks": [lock], "on_conflict": "wait"}


def start(daemon: Daemon, requests: Requests) -> list[int]:
    ids: list[int] = []
    for first in range(0, len(requests), PART):
        ids += daemon.client.start_many(requests[first : first + PART])
    return ids


def settle(daemon: Daemon) -> None:
    """Nothing runs, and nothing is about to."""
    time.sleep(PAUSE)
    while daemon.client.status()["running_steps"]:
        time.sleep(PAUSE)
