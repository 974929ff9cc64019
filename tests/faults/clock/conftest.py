"""A throw-away daemon whose wall clock the test sets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from preloaded import compiled
from real_daemon import Daemon, a_daemon
from wall import Wall


@pytest.fixture(scope="session")
def wall_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(Path(__file__).with_name("wall.c"), tmp_path_factory.mktemp("clock"))


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """Not started yet."""
    with a_daemon() as one:
        yield one


@pytest.fixture
def wall(wall_library: Path, daemon: Daemon) -> Wall:
    """That of `daemon`."""
    made = Wall(wall_library, daemon.root / "wall")
    daemon.environment |= made.environment
    return made
