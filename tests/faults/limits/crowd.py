"""Clients by the hundred that behave badly, and whether a good one is served beside them.

The machine may be busy with other things, so a figure that is missed is taken again, up to three
times: what the daemon does itself would be missed each time.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from raw_client import RawClient
from real_daemon import Daemon

from taskd.client import Client

MIB = 1 << 20
MOST_MEMORY = 200_000_000  # bytes
SOON = 0.3  # seconds
PROBES = 50


@contextlib.contextmanager
def a_crowd(
    daemon: Daemon, count: int, behave: Callable[[RawClient], object]
) -> Iterator[list[RawClient]]:
    """So many are connected, and each did `behave`. They go at the end."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(RawClient(daemon.socket)) for _ in range(count)]
        for client in clients:
            behave(client)
        yield clients


def say(client: RawClient, data: bytes) -> int:
    """Send what is taken without waiting for the daemon. So many bytes."""
    client.socket.setblocking(False)
    with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
        return client.socket.send(data)
    return 0


def is_responsive(daemon: Daemon) -> bool:
    """The list of tasks comes soon, also when it is slow."""
    return any(max(_probe(daemon.socket) for _ in range(PROBES)) <= SOON for _ in range(3))


def _probe(socket: Path) -> float:
    begin = time.monotonic()
    with Client(socket) as client:
        client.find()
    return time.monotonic() - begin


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
