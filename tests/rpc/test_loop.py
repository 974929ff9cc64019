"""What the loop hears in one round."""

import os
from collections.abc import Callable, Iterator

import pytest

from taskd.loop import Loop


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def rounds(reader: int, writer: int, expects_more: Callable[[], bool]) -> list[list[str]]:
    """What was heard in each of two rounds: in the first, what is heard second is caused."""
    loop = Loop("loop")
    heard: list[list[str]] = [[]]

    def request() -> None:
        heard[-1].append("request")
        os.write(writer, b"!")

    def outcome(_events: int) -> None:
        os.read(reader, 1)
        heard[-1].append("outcome")

    loop.expects_more = expects_more
    loop.after_round = [lambda: heard.append([])]
    loop.watch(reader, outcome)
    loop.call(request)
    loop.start()
    while [word for each in heard for word in each] != ["request", "outcome"]:
        os.sched_yield()
    loop.stop()
    return [each for each in heard if each]


def test_what_is_expected_is_heard_in_the_same_round(pipe: tuple[int, int]) -> None:
    assert rounds(*pipe, lambda: True) == [["request", "outcome"]]


def test_what_is_not_expected_is_not_waited_for(pipe: tuple[int, int]) -> None:
    assert rounds(*pipe, lambda: False) == [["request"], ["outcome"]]
