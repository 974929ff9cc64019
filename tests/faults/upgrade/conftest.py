"""A throw-away daemon for each test."""

from collections.abc import Iterator

import pytest
from real_daemon import Daemon, a_daemon


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """Not started yet."""
    with a_daemon() as one:
        yield one
