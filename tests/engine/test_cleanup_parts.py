"""Which parts a cleanup has, and what each of them means."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW, a_task

from taskd.cleaning import STOPPED, Cleaning, Rule, load
from taskd.engine.cleanup_parts import Part, of_rules, of_search
from taskd.model.task import Result, State
from taskd.search.asker import Asker
from taskd.search.condition import condition
from taskd.search.parser import parse
from taskd.store.database import Database
from taskd.store.deleting import Plan
from taskd.store.transaction import Transaction

PAGE = (Path(__file__).parents[2] / "docs/cleanup.md").read_text()
DAY = timedelta(days=1)
ANA = Asker("ana", 1000, NOW)
OLD = 'ended_at < "2024-04-21 12:00:00Z"'  # ten days before
DONE = "state = stopped"


def filters(cleaning: Cleaning, own: dict[str, timedelta] | None = None) -> dict[str, str]:
    return {part.name: part.filter for part in of_rules(cleaning, own or {}, ANA)}


def test_nothing_says_anything() -> None:
    assert of_rules(Cleaning(), {}, ANA) == []


def test_actions_come_first_those_of_the_configuration_before_what_they_say_themselves() -> None:
    cleaning = Cleaning(actions=(Rule(10 * DAY, ("a", "b"), "result = success or result = error"),))

    assert list(filters(cleaning, {"c": 10 * DAY, "a": DAY}).items()) == [
        ("a, b", f"label ^ (a, b) and (result = success or result = error) and {OLD} and {DONE}"),
        ("c", f"label = c and {OLD} and {DONE}"),
    ]


def test_rules_leave_out_actions_with_a_period_of_their_own_unless_they_override() -> None:
    rules = (Rule(10 * DAY, (), "user = ana"), Rule(10 * DAY, override_actions=True))

    assert filters(Cleaning(rules=rules), {"c": DAY, "b": DAY}) == {
        "b": f'label = b and ended_at < "2024-04-30 12:00:00Z" and {DONE}',
        "c": f'label = c and ended_at < "2024-04-30 12:00:00Z" and {DONE}',
        "rule 1": f"not label ^ (b, c) and user = ana and {OLD} and {DONE}",
        "rule 2": f"{OLD} and {DONE}",
    }


def test_global_period_takes_what_no_period_of_an_action_speaks_of() -> None:
    cleaning = Cleaning(after=10 * DAY, actions=(Rule(900 * DAY, ("a",), "result = error"),))

    parts = filters(cleaning, {"b": 900 * DAY})

    assert list(parts) == ["a", "b", "other tasks"]
    assert parts["other tasks"] == (
        f"not (label = a and result = error) and not label = b and {OLD} and {DONE}"
    )


def test_age_is_that_of_the_end_else_of_the_beginning_else_of_what_it_waits_for() -> None:
    states = (State.SCHEDULED, State.STOPPED)

    (part,) = of_search("label ~ x", 10 * DAY, states, ANA)

    limit = '"2024-04-21 12:00:00Z"'
    assert part.filter == (
        f"label ~ x and (ended_at < {limit} or (null? ended_at and started_at < {limit})"
        f" or (null? ended_at and null? started_at and start_at < {limit}))"
        " and state ^ (scheduled, stopped)"
    )


@pytest.mark.parametrize(
    ("after", "states", "filter"),
    [
        (timedelta(0), STOPPED, "id > 0 and state = stopped"),
        (timedelta(0), tuple(State), "id > 0"),
        (9999 * 365 * DAY, STOPPED, f'id > 0 and ended_at < "0001-01-01 00:00:00Z" and {DONE}'),
    ],
)
def test_conditions_that_ask_nothing_are_left_out(
    after: timedelta, states: tuple[State, ...], filter: str
) -> None:
    (part,) = of_search("id > 0", after, states, ANA)

    assert part.filter == filter


@pytest.mark.parametrize("search", ["a or b c", "not x = 1 or y", "label = a or label = b"])
def test_what_a_part_means_can_be_given_to_a_list(search: str) -> None:
    search = search.replace("x =", "id =")
    (part,) = of_search(search, 10 * DAY, STOPPED, ANA)

    assert condition(parse(part.filter, ANA), ANA).text == part.where.text


# The page


def goes(parts: list[Part], database: Database) -> bool:
    """Whether one of them means the only task of the store."""
    with database.beside() as connection:
        plan = Plan(connection)
        return any(plan.add(number, part.where, part.states) for number, part in enumerate(parts))


def test_table_of_the_page_says_when_tasks_go(tmp_path: Path) -> None:
    section = re.findall(r"```yaml\n(cleanup:\n  after.*?)```", PAGE, re.DOTALL)
    rows = re.findall(r"^\| (\S+(?: other)?), (\S+) \| (\d+) (day|year)s? \|", PAGE, re.MULTILINE)
    (tmp_path / "taskd.yaml").write_text(section[0])
    cleaning = load(tmp_path / "taskd.yaml", {})
    assert len(rows) == 6
    for number, (label, result, count, unit) in enumerate(rows):
        database = Database(tmp_path / f"{number}.db")
        tx = Transaction(database.writer)
        task = a_task("stopped", label=label.strip("`"), result=Result(result), ended_at=NOW)
        tx.begin(NOW)
        tx.add(task)
        tx.flush()
        tx.commit()
        after = int(count) * (DAY if unit == "day" else 365 * DAY)
        for passed, expected in ((after - DAY / 2, False), (after + DAY / 2, True)):
            parts = of_rules(cleaning, {"audit": 3 * 365 * DAY}, replace(ANA, now=NOW + passed))
            assert goes(parts, database) is expected, (label, result, passed)
        database.close()
