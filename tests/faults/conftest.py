"""A throw-away daemon for each test, who kills it and who uses it, all by one seed; and a library
that makes calls fail."""

import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import Faults
from killer import Killer
from people import People
from preloaded import compiled
from real_daemon import Daemon, a_daemon
from user import User

ACTIONS = Path(__file__).parent / "actions"


@pytest.fixture
def chance() -> random.Random:
    """FAULT_SEED repeats a run; what it is, is printed."""
    seed = int(os.environ.get("FAULT_SEED", time.time_ns() % 1_000_000))
    print(f"FAULT_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def daemon(chance: random.Random) -> Iterator[Daemon]:
    """Not started yet; it knows the actions that write the ledger."""
    with a_daemon() as one:
        shutil.copytree(ACTIONS, one.actions, dirs_exist_ok=True)
        shutil.copy(ACTIONS / "work.sh", one.root)
        one.configure(
            executor_slots=chance.choice((3, 8)),
            allow_dangerous_actions="true",
            cancel_grace=chance.choice(("50ms", "10s")),
        )
        yield one


@pytest.fixture
def killer(daemon: Daemon, chance: random.Random) -> Killer:
    return Killer(daemon, chance)


@pytest.fixture
def user(daemon: Daemon, chance: random.Random) -> User:
    return User(daemon, chance)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(Path(__file__).with_name("faults.c"), tmp_path_factory.mktemp("faults"))


@pytest.fixture
def faults(library: Path, tmp_path: Path) -> Faults:
    return Faults(library, tmp_path / "failing")


@pytest.fixture
def people(daemon: Daemon, chance: random.Random) -> People:
    return People(daemon, chance)
