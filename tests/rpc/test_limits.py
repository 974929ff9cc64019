"""What all clients together may have the daemon keep, and who goes or waits when it is too much."""

import threading
from collections.abc import Iterator

import pytest

from taskd.loop import Loop
from taskd.rpc import limits
from taskd.rpc.limits import Backlog, Room, size_of
from taskd.rpc.turns import Turns


class Client:
    """It says what it is told."""

    def __init__(self) -> None:
        self.told = threading.Event()

    def go_on(self) -> None:
        self.told.set()

    def drop(self) -> None:
        """It is told by `hold` who is to go."""


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop("test")
    made.start()
    yield made
    made.stop()


def test_who_has_left_something_for_longest_goes_first() -> None:
    warnings: list[None] = []
    backlog = Backlog(100, lambda: warnings.append(None))
    first, second, third = Client(), Client(), Client()

    dropped = [
        backlog.hold(client, size)
        for client, size in ((first, 30), (second, 30), (first, 40), (third, 60))
    ]

    assert dropped == [[], [], [], [first]]
    assert len(warnings) == 1


def test_who_has_nothing_left_does_not_count() -> None:
    backlog = Backlog(100, lambda: None)
    good, bad = Client(), Client()

    backlog.hold(good, 90)
    backlog.hold(good, 0)

    assert backlog.hold(bad, 90) == []


def test_single_client_may_have_more_than_all_may() -> None:
    backlog = Backlog(100, lambda: None)

    assert backlog.hold(Client(), 1000) == []


def test_each_has_room_of_its_own_when_there_is_no_other(loop: Loop) -> None:
    room = Room(loop)
    greedy, modest = Client(), Client()

    assert room.take(greedy, limits.MOST_UNANSWERED)
    assert not room.take(greedy, 1)
    assert room.take(modest, limits.OWN_UNANSWERED)
    assert not room.take(modest, 1)


@pytest.mark.parametrize("leaves", [True, False])
def test_who_waits_for_room_is_told_when_there_may_be_some(loop: Loop, leaves: bool) -> None:
    room = Room(loop)
    greedy, waiting = Client(), Client()
    room.take(greedy, limits.MOST_UNANSWERED)
    assert not room.take(waiting, limits.OWN_UNANSWERED + 1)

    if leaves:
        room.leave(greedy)
    else:
        room.give_back(greedy, limits.MOST_UNANSWERED)

    assert waiting.told.wait(10)
    assert room.take(waiting, limits.OWN_UNANSWERED + 1)
    assert not room.has_some_of(greedy)


def test_values_and_wide_characters_take_more_than_their_bytes() -> None:
    plain = size_of(b'"xxxxxxxx"')

    assert size_of(b"[[],[],[]]") > plain
    assert size_of('"xxxxxxä"'.encode()) > plain
    assert size_of(b"x" * limits.MOST_UNANSWERED) < limits.MOST_UNANSWERED


def test_who_asks_for_one_thing_does_not_wait_behind_who_asks_for_many() -> None:
    turns = Turns(1, "test")
    gate, done = threading.Event(), threading.Event()
    order: list[str] = []
    turns.submit("anybody", gate.wait)

    for number in range(3):
        turns.submit("greedy", lambda number=number: order.append(f"greedy {number}"))
    turns.submit("modest", lambda: order.append("modest"))
    turns.submit("greedy", done.set)
    gate.set()

    assert done.wait(10)
    assert order == ["greedy 0", "modest", "greedy 1", "greedy 2"]
    turns.stop(wait=True)


def test_what_has_not_begun_when_it_is_stopped_does_not_begin() -> None:
    turns = Turns(1, "test")
    gate = threading.Event()
    order: list[str] = []
    turns.submit("anybody", gate.wait)
    turns.submit("anybody", lambda: order.append("too late"))

    turns.stop(wait=False)
    gate.set()
    turns.stop(wait=True)

    assert order == []
