"""A throw-away daemon for each test."""

from collections.abc import Iterator

import pytest
from real_daemon import Daemon, a_daemon


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """Not started yet, so that it can be configured; ended by the fixture."""
    with a_daemon() as one:
        yield one


@pytest.fixture
def running(daemon: Daemon) -> Daemon:
    """A daemon that answers."""
    daemon.start()
    return daemon
