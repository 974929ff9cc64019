"""The daemon is killed again and again at random moments, and so is what runs its steps."""

import random
import time
from collections.abc import Callable

import pytest
from killer import Killer
from people import People
from user import User

from taskd.model.task import Task


def sizes(short: tuple[int, int], long: tuple[int, int] = (1000, 200)) -> pytest.MarkDecorator:
    """How many tasks, and how often somebody is killed."""
    marked = pytest.param(long, id="long", marks=pytest.mark.long)
    return pytest.mark.parametrize("size", [pytest.param(short, id="short"), marked])


@pytest.fixture
def live_through(killer: Killer, chance: random.Random) -> Callable[..., list[Task]]:
    """All that `user` has asked for, at rest, although `strike` was called again and again."""

    def live_through(user: User, size: tuple[int, int], strike: Callable[[], object]) -> list[Task]:
        killer.start()
        for requests in user.orders(*size):
            user.work(requests)
            time.sleep(chance.choice((0.0, 0.01, chance.uniform(0.0, 0.8))))
            strike()
            user.ask_again(requests)
        done = user.bring_to_an_end()
        killer.stop()
        return done

    return live_through


@sizes((100, 15))
def test_killed_daemon_interrupts_nothing(
    live_through: Callable[..., list[Task]], killer: Killer, user: User, size: tuple[int, int]
) -> None:
    done = live_through(user, size, killer.kill_daemon)

    assert user.find_wrong(done) == []
    assert [task for task in done if task.result != "success"] == []


@sizes((100, 15))
def test_nothing_is_lost_or_done_twice_whoever_is_killed(
    live_through: Callable[..., list[Task]], killer: Killer, user: User, size: tuple[int, int]
) -> None:
    done = live_through(user, size, killer.kill_anyone)

    assert killer.kills >= size[1]
    assert user.find_wrong(done) == []


@sizes((40, 5))
def test_what_people_were_told_holds_whoever_is_killed(
    live_through: Callable[..., list[Task]], killer: Killer, people: People, size: tuple[int, int]
) -> None:
    done = live_through(people, size, killer.kill_anyone)

    assert people.find_wrong(done) == []


@sizes((12, 1), (200, 40))
def test_daemon_may_be_killed_again_and_again_while_it_recovers(
    live_through: Callable[..., list[Task]], killer: Killer, user: User, size: tuple[int, int]
) -> None:
    done = live_through(user, size, killer.kill_while_it_recovers)

    assert user.find_wrong(done) == []
