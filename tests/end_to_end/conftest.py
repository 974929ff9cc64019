"""A throw-away daemon for each test. Its folder's name is short enough for a socket."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_daemon import Daemon


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """Not started yet, so that it can be configured; ended by the fixture."""
    root = Path(tempfile.mkdtemp(prefix="tk", dir="/tmp"))
    one = Daemon(root)
    yield one
    one.close()
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def running(daemon: Daemon) -> Daemon:
    """A daemon that answers."""
    daemon.start()
    return daemon
