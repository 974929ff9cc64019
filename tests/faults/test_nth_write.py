"""The daemon dies at a certain write to its store, or in the middle of it, or at a certain sync."""

import contextlib
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from killer import Killer
from real_daemon import eventually
from user import User

from taskd.model.errors import Unavailable

SHORT = pytest.param(4, id="short")
LONG = pytest.param(60, id="long", marks=pytest.mark.long)
OPENING = 25  # about as many writes as it takes to make a store
TASKS = 4  # for each daemon


@pytest.fixture(scope="session")
def die_at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that sees to it."""
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler: apt-get install gcc libc6-dev")
    library = tmp_path_factory.mktemp("library") / "die_at.so"
    source = Path(__file__).with_name("die_at.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.parametrize("daemons", [SHORT, LONG])
@pytest.mark.parametrize(("how", "last"), [("write", 300), ("torn", 300), ("sync", 50)])
def test_daemon_may_die_at_any_write_and_sync(
    killer: Killer,
    user: User,
    chance: random.Random,
    die_at: Path,
    how: str,
    last: int,
    daemons: int,
) -> None:
    deaths = 0
    given = list(user.orders(TASKS * daemons, daemons))
    for number, requests in enumerate(given):
        moment = chance.randint(1, last if number % 2 else OPENING)
        killer.spawn(LD_PRELOAD=str(die_at), DIE_AT=f"{how}:{moment}")
        eventually(lambda: killer.is_dead() or killer.answers())
        with contextlib.suppress(Unavailable):
            user.work(requests)
        eventually(lambda: killer.is_dead() or user.has_nothing_to_wait_for())
        deaths += killer.is_dead()
        killer.kill()
    killer.start()
    for requests in given:
        user.ask_again(requests)
    done = user.bring_to_an_end()
    killer.stop()

    assert deaths >= daemons // 2
    assert user.find_wrong(done) == []
    assert [task for task in done if task.result != "success"] == []
