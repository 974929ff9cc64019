"""Each row of the page about searching is true."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from builders import a_step, a_task, an_error

from taskd.model.lock import link, parse_lock
from taskd.model.task import Task
from taskd.search.asker import Asker
from taskd.search.condition import condition
from taskd.search.fields import FIELDS, TASKS
from taskd.search.parser import parse
from taskd.store import locks
from taskd.store.database import InMemory
from taskd.store.transaction import Transaction

PAGE = (Path(__file__).parents[2] / "docs/search.md").read_text()
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2024, 3, 13, 16, 45, tzinfo=BERLIN)
ASKER = Asker("ana", 1000, NOW, BERLIN)


def table(heading: str) -> list[list[str]]:
    """The rows below a heading row that begins so."""
    body = PAGE.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0]
    rows = [line for line in body.splitlines()[2:] if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


QUERIES = [(query.strip("`"), finds) for query, _, finds in table("query")]


@pytest.fixture(scope="module")
def database() -> Iterator[InMemory]:
    made = InMemory()
    tx = Transaction(made.writer)
    tx.begin(NOW)
    for row in table("id"):
        task = tx.add(a_task_of(row))
        links, held = row[8:10]
        found = [*map(link, links.split()), *map(parse_lock, held.split())]
        locks.take(made.writer, task.id, found, NOW)
    tx.flush()
    tx.commit()
    yield made
    made.close()


def a_task_of(row: list[str]) -> Task:
    _, name, label, state, result, user, started, ended, _, _, input, failed = row
    step, _, message = failed.partition(": ")
    failures = [a_step(step, "error", error=an_error(message))] if failed else []
    known: dict[str, Any] = json.loads(input) if input else {}
    return a_task(
        state, failures, name=name, label=label, result=result, user=user, input=known,
        started_at=at(started), ended_at=at(ended),
    )  # fmt: skip


def at(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC) if text else None


@pytest.mark.parametrize(("query", "finds"), QUERIES, ids=[query for query, _ in QUERIES])
def test_query_finds_what_the_page_says(database: InMemory, query: str, finds: str) -> None:
    where = condition(parse(query, ASKER), ASKER)
    rows = database.writer.execute(
        f"SELECT id FROM tasks WHERE {where.text} ORDER BY id", where.values
    )

    assert ", ".join(str(row[0]) for row in rows) == finds


def test_page_names_all_fields() -> None:
    rows = [cell for row in table("field") for cell in row[:2]]
    named = re.findall(r"`([^`]+)`", " ".join(rows))

    assert {name for name in named if "KEY" not in name} == set(TASKS.names)
    assert len(QUERIES) > len(FIELDS)
