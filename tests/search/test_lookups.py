"""Common questions are look-ups: which index answers them, not how long that takes."""

import pytest
from builders import NOW

from taskd.search.asker import Asker
from taskd.search.condition import condition
from taskd.search.order import read_order
from taskd.search.parser import parse
from taskd.store import listing
from taskd.store.database import InMemory

ASKER = Asker("ana", 1000, NOW)

INDEXES = {
    "state = paused": "tasks_unfinished",
    "state ^ (running, paused)": "tasks_unfinished",
    "state = paused and result = error": "tasks_unfinished",
    "state = paused result = error": "tasks_unfinished",
    "label = backup and state = running": "tasks_unfinished",
    "label = backup": "tasks_of_label",
    "label = backup and result = error": "tasks_of_label",
    "result = failed": "tasks_bad",
    'result = error and started_at > "3 days ago"': "tasks_bad",
    "result ^ (error, warning)": "tasks_bad",
    "user = current_user": "tasks_of_user",
    "started_at = yesterday": "tasks_started",
    "parent_task_id = 7": "tasks_children",
    "key = nightly and user.id = current_user": "tasks_key",
    "name ~ blog": "tasks_names",
    "name ~ back*blog": "tasks_names",
    "resource = site:blog": "links_of_resource",
    "resource_type = site and resource_id = blog": "links_of_resource",
    "locked_resource = site:blog": "locks",
    "step.state = error": "steps_failed",
    "error ~ disk": "steps_failed",
    "has error": "steps_failed",
}
NOT_SORTED = ["", *(query for query in INDEXES if "^" not in query and "at = " not in query)]


@pytest.fixture(scope="module")
def database() -> InMemory:
    return InMemory()


def plan(database: InMemory, query: str, order: str = "") -> str:
    where = condition(parse(query, ASKER), ASKER)
    return "\n".join(listing.explain(database.writer, where, read_order(order), NOW))


@pytest.mark.parametrize("query", INDEXES)
def test_question_is_answered_by_its_index(database: InMemory, query: str) -> None:
    assert INDEXES[query] in plan(database, query)


@pytest.mark.parametrize("query", [query for query in INDEXES if not query.startswith("name ~")])
def test_no_question_reads_all_tasks(database: InMemory, query: str) -> None:
    assert "SCAN tasks" not in plan(database, query)


@pytest.mark.parametrize("query", NOT_SORTED)
def test_newest_are_found_without_sorting_what_matches(database: InMemory, query: str) -> None:
    inner = plan(database, query).split("LIST SUBQUERY", 1)[1]

    assert "TEMP B-TREE" not in inner


@pytest.mark.parametrize("order", ["started_at", "label desc", "user"])
def test_index_gives_the_order(database: InMemory, order: str) -> None:
    index = {"started_at": "tasks_started", "label": "tasks_of_label", "user": "tasks_of_user"}

    assert index[order.split()[0]] in plan(database, "", order)


def test_names_are_looked_through_without_reading_tasks(database: InMemory) -> None:
    assert "COVERING INDEX tasks_names" in plan(database, "name ~ blog")


def test_bad_tasks_since_a_time_are_counted_without_those_before(database: InMemory) -> None:
    where = condition(parse('result = error and started_at > "3 days ago"', ASKER), ASKER)
    statement = f"EXPLAIN QUERY PLAN SELECT 1 FROM tasks WHERE {where.text} LIMIT 10001"

    [row] = database.writer.execute(statement, where.values).fetchall()

    assert row[3].endswith("COVERING INDEX tasks_bad_started (result=? AND started_at>?)")
