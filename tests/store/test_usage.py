"""Which values are in use, the most used first."""

import pytest
from builders import NOW, a_step, a_task, an_error

from taskd.model.lock import link, parse_lock
from taskd.search.sql import Sql
from taskd.store import locks
from taskd.store.database import Database
from taskd.store.transaction import Transaction
from taskd.store.usage import MOST, most_used


@pytest.fixture
def store(database: Database) -> Database:
    tx = Transaction(database.writer)
    tx.begin(NOW)
    for number, label in enumerate(("backup", "shop", "Back", "shop", "shop", "backup"), 1):
        failed = a_step("dump", "error", error=an_error("disk full"))
        values = {"site": label, "keep": 7, "fast": True, "none": None, "list": [1]}
        task = tx.add(a_task("paused", [failed], label=label, input=values, output="text"))
        found = [link(f"site:{number % 2}"), parse_lock(f"host:{number}/backup")]
        locks.take(database.writer, task.id, found, NOW)
    tx.flush()
    tx.commit()
    return database


@pytest.mark.parametrize(
    ("name", "begin", "found"),
    [
        ("label", "", ["shop", "backup", "Back"]),
        ("label", "ba", ["backup", "Back"]),
        ("label", "b%", []),
        ("resource", "", ["site:0", "site:1"]),
        ("resource_type", "", ["site"]),
        ("locked_resource", "host:3", ["host:3"]),
        ("lock.operation", "", ["backup"]),
        ("user", "a", ["ana"]),
        ("step", "", ["dump"]),
        ("error", "", ["RuntimeError"]),
        ("external_id", "", []),
        ("input", "", ["fast", "keep", "list", "none", "site"]),
        ("input", "S", ["site"]),
        ("output", "", []),
        ("input.site", "sh", ["shop"]),
        ("input.keep", "", ["7"]),
        ("input.fast", "", ["true"]),
        ("input.none", "", []),
        ("input.list", "", []),
    ],
)
def test_values_in_use(store: Database, name: str, begin: str, found: list[str]) -> None:
    assert most_used(store.writer, name, begin) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("label", ["backup"]),
        ("resource", ["site:0", "site:1"]),
        ("input.site", ["backup"]),
        ("input", ["fast", "keep", "list", "none", "site"]),
        ("lock.operation", ["backup"]),
        ("locked_resource", ["host:1", "host:6"]),
    ],
)
def test_only_values_of_tasks_that_may_be_seen(
    store: Database, name: str, found: list[str]
) -> None:
    scope = Sql("tasks.label = ?", ("backup",))

    assert most_used(store.writer, name, "", scope) == found


def test_they_are_few(database: Database) -> None:
    tx = Transaction(database.writer)
    tx.begin(NOW)
    for number in range(MOST + 5):
        tx.add(a_task(label=f"label-{number}"))
    tx.flush()
    tx.commit()

    assert len(most_used(database.writer, "label", "")) == MOST
