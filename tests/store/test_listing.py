"""Lists of tasks: conditions, orders, pages."""

from datetime import timedelta
from random import Random

import pytest
from builders import NOW, a_task, later
from hypothesis import given
from hypothesis import strategies as st

from taskd.model.errors import QueryError
from taskd.model.task import Task
from taskd.search.order import Order, read_order
from taskd.search.sql import ALWAYS, Sql
from taskd.store import listing
from taskd.store.database import Database, InMemory
from taskd.store.patience import limited
from taskd.store.transaction import Transaction


def fill(database: Database, *tasks: Task) -> None:
    tx = Transaction(database.writer)
    tx.begin(NOW)
    for task in tasks:
        tx.add(task)
    tx.flush()
    tx.commit()


def pages(database: Database, order: Order, limit: int, where: Sql = ALWAYS) -> list[int]:
    """The ids of all pages, one after the other."""
    found: list[int] = []
    place = None
    while True:
        tasks, place = listing.find_page(database.writer, where, order, place, limit, NOW)
        found += [task.id for task in tasks]
        if len(tasks) < limit:
            return found


def test_newest_come_first(database: Database) -> None:
    fill(database, *(a_task() for _ in range(5)))

    assert pages(database, read_order(""), 2) == [5, 4, 3, 2, 1]


def test_condition_leaves_tasks_out(database: Database) -> None:
    fill(database, *(a_task(user=user) for user in ("ana", "bob", "ana")))

    assert pages(database, read_order(""), 1, Sql("tasks.user = ?", ("ana",))) == [3, 1]


def test_what_may_not_be_seen_is_in_no_list(database: Database) -> None:
    fill(database, *(a_task(user=user) for user in ("ana", "bob", "ana")))
    asked = Sql("(tasks.id = ? OR tasks.id = ?)", (2, 3))
    scope = Sql("tasks.user = ?", ("ana",))

    found, _ = listing.find_page(database.writer, asked, read_order(""), None, 9, NOW, scope)

    assert [task.id for task in found] == [3]
    assert listing.count(database.writer, asked, scope=scope) == 1
    assert listing.holds(database.writer, asked, 3, scope)
    assert not listing.holds(database.writer, asked, 2, scope)


def test_what_is_not_set_comes_last_downwards_and_first_upwards(database: Database) -> None:
    fill(database, *(a_task(started_at=at) for at in (None, later(2), None, later(1), later(2))))

    assert pages(database, read_order("started_at desc"), 2) == [5, 2, 4, 3, 1]
    assert pages(database, read_order("started_at"), 2) == [1, 3, 4, 2, 5]


def test_running_tasks_are_as_long_as_they_have_run(database: Database) -> None:
    begun = NOW - timedelta(minutes=5)
    fill(
        database,
        a_task(started_at=begun, ended_at=begun + timedelta(minutes=1)),
        a_task(started_at=begun),
        a_task(),
    )

    assert pages(database, read_order("duration desc"), 5) == [2, 1, 3]


@given(st.integers(0, 1000), st.sampled_from(["priority", "label desc", "started_at", "id"]))
def test_pages_hold_each_task_once_and_in_order(seed: int, text: str) -> None:
    dice, order = Random(seed), read_order(text)
    database = InMemory()
    tasks = [
        a_task(
            priority=dice.randint(-1, 1),
            label=dice.choice("abc"),
            started_at=dice.choice([None, later(0), later(1)]),
        )
        for _ in range(dice.randint(0, 12))
    ]
    fill(database, *tasks)

    found = pages(database, order, dice.randint(1, 4))
    database.close()

    assert sorted(found) == list(range(1, len(tasks) + 1))
    keys = [_key(tasks[number - 1], order.name, number) for number in found]
    assert keys == sorted(keys, reverse=order.descending)


def _key(task: Task, name: str, number: int) -> tuple[object, ...]:
    value = None if name == "id" else getattr(task, name)
    return (value is not None, value, number) if value is not None else (False, number)


def test_page_goes_on_where_it_was_though_others_went(database: Database) -> None:
    fill(database, *(a_task() for _ in range(4)))
    _, place = listing.find_page(database.writer, ALWAYS, read_order(""), None, 2, NOW)
    database.writer.execute("DELETE FROM tasks WHERE id = 3")

    found, _ = listing.find_page(database.writer, ALWAYS, read_order(""), place, 2, NOW)

    assert [task.id for task in found] == [2, 1]


def test_count_is_exact_up_to_a_limit(database: Database) -> None:
    fill(database, *(a_task() for _ in range(3)))

    assert listing.count(database.writer, ALWAYS, 3) == 3
    assert listing.count(database.writer, ALWAYS, 2) is None
    assert listing.count(database.writer, ALWAYS) == 3


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("", Order("id", descending=True)),
        ("started_at", Order("started_at", descending=False)),
        ("Duration DESC", Order("duration", descending=True)),
        (" priority  asc ", Order("priority", descending=False)),
    ],
)
def test_order_is_read(text: str, order: Order) -> None:
    assert read_order(text) == order


@pytest.mark.parametrize(
    ("text", "position", "told"),
    [
        ("starte_at", 0, "did you mean 'started_at'?"),
        ("error", 0, "cannot order by 'error'"),
        ("id down", 3, "expected asc or desc"),
        ("id desc label", 3, "expected asc or desc"),
        ("id; DROP TABLE tasks", 0, "cannot order by 'id;'"),
    ],
)
def test_order_that_cannot_be_read_is_refused(text: str, position: int, told: str) -> None:
    with pytest.raises(QueryError, match=r"\w") as refused:
        read_order(text)

    assert told in refused.value.message
    assert refused.value.position == position


def test_search_that_takes_too_long_is_given_up(database: Database) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    )

    with pytest.raises(QueryError, match="takes longer"), limited(database.writer, 0.05):
        database.writer.execute(endless).fetchone()

    assert database.writer.execute("SELECT 1").fetchone() == (1,)
