"""A throw-away daemon that answers, with descriptors for a thousand clients of it here."""

import resource
from collections.abc import Iterator

import pytest
from real_daemon import Daemon, a_daemon

DESCRIPTORS = 4096


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """Not started yet."""
    with a_daemon() as one:
        yield one


@pytest.fixture
def running(daemon: Daemon) -> Iterator[Daemon]:
    """What a test opens here is not what the daemon may open: it was started before."""
    daemon.start()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, hard), hard))
    yield daemon
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
