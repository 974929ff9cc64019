"""The daemon is killed again and again at random moments, and so is what runs its steps."""

import random
import time

import pytest
from killer import Killer
from user import User

SHORT = pytest.param(100, 15, id="short")
LONG = pytest.param(1000, 200, id="long", marks=pytest.mark.long)


@pytest.mark.parametrize(("tasks", "kills"), [SHORT, LONG])
def test_killed_daemon_interrupts_nothing(
    killer: Killer, user: User, chance: random.Random, tasks: int, kills: int
) -> None:
    killer.start()
    for requests in user.orders(tasks, kills):
        user.work(requests)
        wait_a_moment(chance)
        killer.kill()
        killer.start()
        user.ask_again(requests)
    done = user.bring_to_an_end()
    killer.stop()

    assert user.find_wrong(done) == []
    assert [task for task in done if task.result != "success"] == []


@pytest.mark.parametrize(("tasks", "kills"), [SHORT, LONG])
def test_nothing_is_lost_or_done_twice_whoever_is_killed(
    killer: Killer, user: User, chance: random.Random, tasks: int, kills: int
) -> None:
    killer.start()
    for requests in user.orders(tasks, kills):
        user.work(requests)
        wait_a_moment(chance)
        killer.kill_one_that_runs_steps()
        if chance.random() < 0.7:
            killer.kill()
            killer.kill_one_that_runs_steps()
            killer.start()
        user.ask_again(requests)
    done = user.bring_to_an_end()
    killer.stop()

    assert killer.kills >= kills
    assert user.find_wrong(done) == []


def wait_a_moment(chance: random.Random) -> None:
    time.sleep(chance.choice((0.0, 0.01, chance.uniform(0.0, 0.8))))
