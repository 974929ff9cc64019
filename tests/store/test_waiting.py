"""The lines of those who wait for locks: who is next, and who stands before him."""

import pytest
from builders import NOW, a_new_task

from taskd.model.lock import parse_lock
from taskd.store import locks, waiting
from taskd.store.database import Database
from taskd.store.transaction import Transaction
from taskd.store.waiting import FRONT, Kin, Waiter


@pytest.fixture
def tasks(tx: Transaction) -> None:
    """1 to 4, of which the tests say what they hold and wait for."""
    tx.begin(NOW)
    for _ in range(4):
        tx.add(a_new_task())
    tx.flush()
    tx.commit()


def hold(database: Database, task_id: int, lock: str) -> None:
    locks.take(database.writer, task_id, [parse_lock(lock)], NOW)


def wait(
    database: Database, task_id: int, *wanted: str, priority: int = 0, kin: Kin = Kin.NO
) -> None:
    found = [(parse_lock(lock), kin) for lock in wanted]
    waiting.join(database.writer, (-priority, task_id), found, NOW)


def next_one(database: Database, released: str, *passed: str) -> Waiter | None:
    return waiting.next_in_line(database.writer, parse_lock(released), FRONT, set(passed))


def task_of(waiter: Waiter | None) -> int | None:
    return waiter and waiter.task_id


def line(database: Database, resource: str) -> list[int]:
    """All of it, from the front."""
    found: list[Waiter] = []
    while waiter := waiting.next_in_line(
        database.writer, parse_lock(resource), found[-1].place if found else FRONT, set()
    ):
        found.append(waiter)
    return [waiter.task_id for waiter in found]


pytestmark = pytest.mark.usefixtures("tasks")


def test_higher_priority_is_next_then_the_older(database: Database) -> None:
    wait(database, 1, "site:blog")
    wait(database, 2, "site:blog", priority=5)
    wait(database, 3, "site:blog", priority=5)

    assert line(database, "site:blog") == [2, 3, 1]


@pytest.mark.parametrize(
    ("wanted", "released", "matters"),
    [
        ("site:blog", "site:blog", True),
        ("site:blog", "site:blog/read", True),
        ("site:blog/read", "site:blog", True),
        ("site:blog/read", "site:blog/read", True),
        ("site:blog/read", "site:blog/write", False),
        ("site:blog", "site:shop", False),
    ],
)
def test_only_what_stood_against_it_matters_to_who_waits(
    database: Database, wanted: str, released: str, matters: bool
) -> None:
    wait(database, 1, wanted)

    assert task_of(next_one(database, released)) == (1 if matters else None)


def test_who_is_next_is_free_unless_somebody_holds_what_he_wants(database: Database) -> None:
    wait(database, 1, "site:blog/read")
    wait(database, 2, "site:blog")
    hold(database, 3, "site:blog/write")

    reader, writer = next_one(database, "site:blog"), next_one(database, "site:blog", "read")

    assert (reader, writer) == (Waiter((0, 1), "read", True), Waiter((0, 2), "", False))


def test_who_wants_all_may_have_what_those_above_him_hold_for_an_operation(
    database: Database,
) -> None:
    hold(database, 1, "site:blog/write")
    wait(database, 2, "site:blog", kin=Kin.SAME)

    found = next_one(database, "site:blog/read")

    assert found == Waiter((0, 2), "", True)


@pytest.mark.parametrize("passed", ["", "read"])
def test_behind_one_who_goes_on_waiting_only_kin_are_next(database: Database, passed: str) -> None:
    wait(database, 1, "site:blog/read")
    wait(database, 2, "site:blog/read", kin=Kin.YES)

    assert task_of(next_one(database, "site:blog/read", passed)) == 2


def test_one_who_goes_on_waiting_keeps_nobody_from_another_operation(database: Database) -> None:
    wait(database, 1, "site:blog/read")
    wait(database, 2, "site:blog/write")

    assert task_of(next_one(database, "site:blog", "read")) == 2


def test_nearest_before_is_the_last_who_stands_in_the_way(database: Database) -> None:
    wait(database, 1, "site:blog")
    wait(database, 2, "site:blog/read")
    wait(database, 3, "site:blog/write")
    here = (0, 4)

    found = [
        waiting.nearest_before(database.writer, here, parse_lock(lock))
        for lock in ("site:blog", "site:blog/read", "site:blog/copy", "site:shop")
    ]

    assert found == [3, 2, 1, None]


def test_kin_who_wait_are_found_by_what_they_wait_for(database: Database) -> None:
    wait(database, 1, "site:blog/read", kin=Kin.YES)
    wait(database, 2, "site:blog/write", kin=Kin.YES)
    wait(database, 3, "site:blog/read")

    assert waiting.kin(database.writer, parse_lock("site:blog/read")) == [1]


def test_who_leaves_is_in_no_line_any_more(database: Database) -> None:
    wait(database, 1, "site:blog/read", "site:shop")

    left = waiting.leave(database.writer, 1)

    assert left == [parse_lock("site:blog/read"), parse_lock("site:shop")]
    assert line(database, "site:blog") == line(database, "site:shop") == []
