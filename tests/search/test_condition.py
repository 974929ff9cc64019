"""SQL finds what a query means, for random queries over random tasks."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from builders import NOW, a_step, a_task, an_error, later
from hypothesis import example, given, settings
from hypothesis import strategies as st
from meaning import holds

from taskd.model.lock import Lock
from taskd.model.record import replace
from taskd.model.step import Step
from taskd.model.task import ExecutionType, Result, State, Task
from taskd.search.asker import Asker
from taskd.search.condition import condition
from taskd.search.fields import FIELDS, OPERATORS, Field, Kind
from taskd.search.nodes import quoted
from taskd.search.parser import parse
from taskd.store import locks
from taskd.store.database import InMemory
from taskd.store.transaction import Transaction

ASKER = Asker("ana", 1000, later(7200), ZoneInfo("Europe/Berlin"))
COUNT = 60

WORDS = (
    "Blog", "blog", "BLÖG", "größe", "GRÖSSE", "a_b", "a%b", "50%", "a*b", "it's", 'say "no"', "-x",
    "a?b", "[ab]", "[", "\\", "and", "(x)", "true", "5", "5.0", "-5", "", " ",
)  # fmt: skip
RESOURCES = ("site:blog", "site:Blog", "host:web1", "site:5", "user:ana", "user:bob", "folder:a:b")
JSONS = ("blog", "Blog", "5", 5, 5.0, -7, 0.5, True, False, None, [1, "a"], {"a": 1}, "größe")


@pytest.fixture(scope="module")
def known() -> Iterator[tuple[InMemory, list[Task]]]:
    """A store with tasks of all kinds, and the same tasks."""
    database = InMemory()
    dice = Random(7)
    tx = Transaction(database.writer)
    tx.begin(NOW)
    tasks = []
    for number in range(COUNT):
        key = dice.choice([None, f"k{number % 7}-{number}"])
        task = a_random_task(dice, key=key)
        stored = tx.add(replace(task, locks=(), links=()))
        tasks.append(replace(task, id=stored.id))
    tx.flush()
    for task in tasks:
        locks.take(database.writer, task.id, [*task.locks, *task.links], NOW)
    tx.commit()
    yield database, tasks
    database.close()


def a_random_task(dice: Random, key: str | None) -> Task:
    started = dice.choice([None, later(dice.choice([-90 * 86400, -86400, -3600, 0, 60]))])
    ended = started and dice.choice([None, started + timedelta(seconds=dice.choice([0, 90, 7200]))])
    names = dice.sample(["plan", "dump", "copy"], dice.randint(0, 3))
    steps = [a_random_step(dice, name, number) for number, name in enumerate(names)]
    return a_task(
        dice.choice(list(State)),
        steps,
        label=dice.choice(["demo", "Backup.site", "backup.SITE"]),
        name=dice.choice(WORDS),
        result=dice.choice(list(Result)),
        user=dice.choice(["ana", "bob"]),
        uid=dice.choice([1000, 1001]),
        execution_type=dice.choice(list(ExecutionType)),
        type=dice.choice(["python", "yaml", "shell"]),
        key=key,
        created_at=later(dice.choice([0, -86400])),
        start_before=dice.choice([None, later(3600)]),
        started_at=started,
        ended_at=ended,
        progress=dice.choice([0.0, 0.5, 1.0]),
        parent_task_id=dice.choice([None, 1]),
        recurring_logic_id=dice.choice([None, 3]),
        external_id=dice.choice([None, *WORDS]),
        input={key: dice.choice(JSONS) for key in dice.sample(["site", 'a"b', "x.y"], 2)},
        output=dice.choice([None, {"site": dice.choice(JSONS)}, "text", [1], 5]),
        locks=tuple(
            Lock(resource, dice.choice(["", "backup"]))
            for resource in dice.sample(RESOURCES, dice.randint(0, 2))
        ),
        links=tuple(
            Lock(resource, exclusive=False)
            for resource in dice.sample(RESOURCES, dice.randint(0, 2))
        ),
    )


def a_random_step(dice: Random, name: str, number: int) -> Step:
    """One that failed has an error, and so may one that is to be tried again."""
    state = dice.choice(["pending", "success", "error", "skipped"])
    error = an_error(dice.choice(WORDS))
    failed = state == "error" or dice.choice([True, False])
    return a_step(name, state, number=number, error=error if failed else None)


VALUES = {
    Kind.TEXT: st.sampled_from([*WORDS, *RESOURCES, "bl", "*log", "%", "a\\*b", "ana", "dump"]),
    Kind.WHOLE: st.sampled_from(["1", "3", "1000", "-5", "9223372036854775807"]),
    Kind.NUMBER: st.sampled_from(["0", "0.5", ".5", "1e0"]),
    Kind.TIME: st.sampled_from(
        ["2024", "2024-05", "2024-05-01", "2024-05-01 14", "2024-05-01T12:00:00Z", "now", "today",
         "yesterday", "2h", "3 hours ago", "1 day ago", "wednesday", "14:00", "May 1", "+1d"]
    ),
    Kind.DURATION: st.sampled_from(["0", "90", "2 minutes", "2h"]),
    Kind.JSON: st.sampled_from(
        ["blog", "5", "5.0", "-7", "true", "bl", "*g", "größ", '[1,"a"]', "0.5", ""]
    ),
}  # fmt: skip
DYNAMIC = [
    Field(f"{of}.{key}", Kind.JSON, f"tasks.{of}", key=key)
    for of in ("input", "output")
    for key in ("site", 'a"b', "x.y")
]


@st.composite
def conditions(draw: st.DrawFn) -> str:
    field = draw(st.sampled_from([*FIELDS, *DYNAMIC]))
    how = draw(st.integers(0, 9))
    if how < 2:
        return f"{'has' if how else 'null?'} {field.name}"
    operator = draw(st.sampled_from(OPERATORS[field.kind]))
    values = st.sampled_from(field.values) if field.values else VALUES[field.kind]
    if field.me:
        values = st.one_of(values, st.just("current_user"))
    if operator in ("<", ">", "<=", ">=") and field.kind is Kind.JSON:
        values = st.sampled_from(["5", "-7", "0.5"])
    if operator.endswith("^"):
        listed = ", ".join(map(quoted, draw(st.lists(values, min_size=1, max_size=3))))
        return f"{field.name} {operator} ({listed})"
    if operator.endswith("~"):
        values = values.filter(bool)
    return f"{field.name} {operator} {quoted(draw(values))}"


TEXTS = st.sampled_from(list(filter(bool, WORDS))).map(lambda word: quoted(word, always=True))


def combined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.tuples(parts, st.sampled_from([" and ", " or ", " "]), parts).map("".join)
    return joined | parts.map(lambda part: f"not {part}") | parts.map(lambda part: f"({part})")


QUERIES: st.SearchStrategy[str] = st.recursive(conditions() | TEXTS, combined, max_leaves=6)


@settings(max_examples=400)
@given(QUERIES)
@example("step.state = error and error ~ blog")
@example("resource_type = user and resource_id = ana")
@example("resource_type = site and resource_id = ana")
@example("resource_type != user")
def test_sql_finds_what_is_meant(known: tuple[InMemory, list[Task]], query: str) -> None:
    database, tasks = known
    node = parse(query, ASKER)

    where = condition(node, ASKER)
    rows = database.writer.execute(
        f"SELECT id FROM tasks WHERE {where.text} ORDER BY id", where.values
    )

    assert [row[0] for row in rows] == [t.id for t in tasks if holds(node, t, ASKER)]


@settings(max_examples=300)
@given(QUERIES)
def test_what_is_written_again_reads_the_same(query: str) -> None:
    written = str(parse(query, ASKER))

    assert str(parse(written, ASKER)) == written


@pytest.mark.parametrize("query", ["a or b", "not a b"])
def test_written_again_it_means_the_same(known: tuple[InMemory, list[Task]], query: str) -> None:
    _, tasks = known
    first = parse(query, ASKER)
    second = parse(str(first), ASKER)

    assert [holds(first, t, ASKER) for t in tasks] == [holds(second, t, ASKER) for t in tasks]
