"""A throw-away daemon whose wall clock the test sets."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_daemon import Daemon, a_daemon
from wall import Wall


@pytest.fixture(scope="session")
def wall_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler: apt-get install gcc libc6-dev")
    made = tmp_path_factory.mktemp("clock") / "wall.so"
    source = Path(__file__).with_name("wall.c")
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", made, source]
    subprocess.run(command, check=True)
    return made


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
