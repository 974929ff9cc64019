"""Throw-away daemons on disks that are small, full or failing."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from at_work import Workers
from mounts import Disk
from real_daemon import Daemon


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder whose name is short enough for a socket."""
    made = Path(tempfile.mkdtemp(prefix="tf", dir="/tmp"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def daemon(root: Path) -> Iterator[Daemon]:
    """Not started yet."""
    one = Daemon(root)
    yield one
    one.close()


@pytest.fixture
def disk(root: Path) -> Iterator[Disk]:
    """A small one, which is the state directory's."""
    made = Disk(root / "s")
    made.mount()
    yield made
    made.unmount()


@pytest.fixture
def small(disk: Disk) -> Iterator[Daemon]:
    """A daemon on that disk, not started yet."""
    one = Daemon(disk.path.parent)
    yield one
    one.close()


@pytest.fixture(scope="session")
def workers(library: Path) -> Iterator[Workers]:
    made = Workers(library)
    yield made
    made.close()
