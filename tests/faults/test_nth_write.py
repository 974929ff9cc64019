"""The daemon dies at a certain write to its store, or in the middle of it, or at a certain sync."""

import contextlib
import random

import pytest
from faults import KILL, KILL_IN_WRITE, STORE, Faults
from killer import Killer
from real_daemon import eventually
from user import User

from taskd.model.errors import Unavailable

SHORT = pytest.param(4, id="short")
LONG = pytest.param(60, id="long", marks=pytest.mark.long)
OPENING = 25  # about as many writes as it takes to make a store
TASKS = 4  # for each daemon


@pytest.mark.parametrize("daemons", [SHORT, LONG])
@pytest.mark.parametrize(
    ("calls", "how", "last"),
    [("write", KILL, 300), ("write", KILL_IN_WRITE, 300), ("sync", KILL, 50)],
    ids=["before a write", "in a write", "before a sync"],
)
def test_daemon_may_die_at_any_write_and_sync(
    killer: Killer,
    user: User,
    chance: random.Random,
    faults: Faults,
    calls: str,
    how: int,
    last: int,
    daemons: int,
) -> None:
    deaths = 0
    given = list(user.orders(TASKS * daemons, daemons))
    for number, requests in enumerate(given):
        moment = chance.randint(1, last if number % 2 else OPENING)
        killer.spawn(**faults.on(STORE, calls, at=moment, error=how))
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
