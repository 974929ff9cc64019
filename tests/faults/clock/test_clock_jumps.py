"""The wall clock is set, far and back, under all that has a length of time: none gets another."""

import os
from pathlib import Path

import pytest
from lengths import ACTIONS, ENDS, LENGTH, Work, check
from real_daemon import Daemon, eventually
from wall import Wall

HOUR = 3600
YEAR = 365 * 24 * HOUR


def long(seconds: int, name: str) -> object:
    return pytest.param(seconds, id=name, marks=pytest.mark.long)


JUMPS = [
    pytest.param(-2 * HOUR, id="two hours back"),
    long(3 * HOUR, "three hours forward"),
    long(10 * YEAR, "ten years forward"),
    long(-30 * YEAR, "thirty years back"),
    long(13 * YEAR, "past 2038"),
]
TO_AND_FRO = (3 * HOUR, -2 * HOUR, 10 * YEAR, -30 * YEAR, 13 * YEAR)


@pytest.fixture
def work(daemon: Daemon, wall: Wall) -> Work:  # noqa: ARG001
    daemon.write_action("lengths.py", ACTIONS)
    daemon.configure(executor_slots=len(ENDS) + 1, cancel_grace=LENGTH)
    daemon.start()
    return Work(daemon)


def cpu_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_clock_that_is_set_again_and_again_changes_no_length(
    daemon: Daemon, wall: Wall, work: Work
) -> None:
    spent = cpu_seconds(daemon.pid)
    for number, seconds in enumerate(TO_AND_FRO, 1):
        wall.set(seconds)
        eventually(lambda n=number: daemon.log().count("the wall clock was set") == n)

    check(work.ended())

    assert cpu_seconds(daemon.pid) - spent < 1.0


@pytest.mark.parametrize("seconds", JUMPS)
def test_clock_that_is_set_while_no_daemon_runs_changes_no_length(
    daemon: Daemon, wall: Wall, work: Work, seconds: int
) -> None:
    daemon.kill_9()
    wall.set(seconds)
    daemon.start()

    check(work.ended())
