"""How queries read, and what is said of those that cannot be read."""

import time
from datetime import UTC

import pytest
from builders import NOW

from taskd.model.errors import QueryError
from taskd.search.asker import Asker
from taskd.search.nodes import Every
from taskd.search.parser import parse

ASKER = Asker("ana", 1000, NOW, UTC)

READ = {
    # precedence
    "a and b or c": '("a" and "b") or "c"',
    "a or b and c": '"a" or ("b" and "c")',
    "a or b c": '("a" or "b") "c"',
    "a b or c d": '"a" ("b" or "c") "d"',
    "not a or b": 'not "a" or "b"',
    "not (a or b)": 'not ("a" or "b")',
    "not a b": 'not "a" "b"',
    "a & b | c": '("a" and "b") or "c"',
    "a && b || c": '("a" and "b") or "c"',
    "a, b": '"a" and "b"',
    "A AND b Or c": '("A" and "b") or "c"',
    # not
    "-a": 'not "a"',
    "!a": 'not "a"',
    "- a": 'not "a"',
    "!!a": 'not not "a"',
    "a - b": '"a" not "b"',
    "a-b": '"a-b"',
    "not has error": "not has error",
    # words end where they look as if
    "state!=paused": "state != paused",
    "state=paused": "state = paused",
    "label~back": "label ~ back",
    "label!~back": "label !~ back",
    "id>=5": "id >= 5",
    "id<>5": "id != 5",
    "id == 5": "id = 5",
    "result^(error)": "result ^ (error)",
    "result!^(error)": "result !^ (error)",
    "result ^ (error cancelled)": "result ^ (error, cancelled)",
    "result ^ (error, failed,warning)": "result ^ (error, failed, warning)",
    "a^b": '"a^b"',
    "hello!": '"hello!"',
    "a!b": '"a!b"',
    "site:blog/backup": '"site:blog/backup"',
    # values
    "label = -x": "label = -x",
    "label ^ (-x, -y)": "label ^ (-x, -y)",
    'label = "two words"': 'label = "two words"',
    'label = "and"': 'label = "and"',
    r'label = "a \" b \\ c \d"': r'label = "a \" b \\ c \\d"',
    "label = it's": "label = it's",
    "name ~ 'a": "name ~ 'a",
    "label = has": "label = has",
    "label = before": "label = before",
    # fields
    "STATE = Paused": "state = Paused",
    "action ~ blog": "name ~ blog",
    "owner.login = ana": "user = ana",
    "task_group.id = 3": "recurring_logic.id = 3",
    "Input.Site = blog": "input.Site = blog",
    "input.a.b = 1": "input.a.b = 1",
    "set? error": "has error",
    "NULL? ended_at": "null? ended_at",
    # operators that are words
    "started_at before 2016": "started_at < 2016",
    "started_at AFTER 2016": "started_at > 2016",
    "started_at at 2016": "started_at = 2016",
    "started_at before -3d": "started_at < -3d",
    "label before 2016": '"label" "before" "2016"',
    "before": '"before"',
    # texts
    "state": '"state"',
    'state "in" x': '"state" "in" "x"',
    '"state:stopped"': '"state:stopped"',
    "site:blog": '"site:blog"',
    "label of shop": '"label" "of" "shop"',
    '"a"b': '"a" "b"',
    "(a)(b)": '"a" "b"',
    'a"b': r'"a\"b"',
    "((a))": '"a"',
    "état": '"état"',
    # a chain of one's own
    "step = a and (error ~ b)": "step = a and (error ~ b)",
}


@pytest.mark.parametrize("query", READ)
def test_query_reads(query: str) -> None:
    assert str(parse(query, ASKER)) == READ[query]


@pytest.mark.parametrize("query", ["", "  ", "\n\t"])
def test_blank_query_has_no_condition(query: str) -> None:
    assert parse(query, ASKER) == Every(())


WRONG = {
    # query: (position, part of what is said)
    "(a": (0, "this parenthesis is never closed"),
    "a)": (1, "this parenthesis was never opened"),
    "()": (1, "expected a condition, found ')'"),
    'a "b': (2, "this quotation mark is never closed"),
    "state =": (7, "expected a value after =, found the end"),
    "label = = x": (8, "expected a value after =, found '='"),
    "label = and": (8, 'as a value it needs quotes: "and"'),
    "label = (a)": (8, "expected a value after =, found '('"),
    "label = !x": (8, "expected a value after =, found"),
    "= 5": (0, "expected a condition, found '='"),
    "and a": (0, "expected a condition, found 'and'"),
    "a or": (4, "expected a condition, found the end"),
    "a and or b": (6, "expected a condition, found 'or'"),
    "not": (3, "expected a condition, found the end"),
    "a,": (2, "expected a condition, found the end"),
    '"label" = x': (0, "expected a field before =, found a phrase"),
    "labl = x": (0, "there is no field 'labl'; did you mean 'label'?"),
    "has labl": (4, "there is no field 'labl'; did you mean 'label'?"),
    "has": (3, "expected a field after has, found the end"),
    "input. = x": (0, "there is no field 'input.'"),
    "input = x": (0, "there is no field 'input'"),
    "state = pausd": (8, "did you mean 'paused'?"),
    "state = 5": (8, "state is one of scheduled, planned, running, paused, stopped"),
    "state ^ (paused, x)": (17, "state is one of"),
    "state > paused": (6, "> is not for state"),
    "state ~ pau": (6, "~ is not for state"),
    "label > a": (6, "> is not for label"),
    "id ~ 5": (3, "~ is not for id"),
    "started_at ^ (2016)": (11, "^ is not for started_at"),
    "id = 1.5": (5, "id is a whole number"),
    "id = 9223372036854775808": (5, "id is a whole number"),
    "id = ٣": (5, "id is a whole number"),
    "user.id = ana": (10, "user.id is a whole number, or current_user"),
    "progress > half": (11, "progress is a number, as in 0.5"),
    "progress > 1e999": (11, "progress is a number"),
    "progress > nan": (11, "progress is a number"),
    "input.n > abc": (10, "only numbers have an order"),
    "duration > soon": (11, "expected a length of time"),
    "started_at > 2024-02-30": (13, "cannot read this as a time: day is out of range"),
    "started_at > 03/10/2024": (13, "cannot read this as a time"),
    "started_at > garbage": (13, "cannot read this as a time"),
    "started_at > 10 March 2024": (13, "cannot read this as a time"),
    "state ^ paused": (8, "expected a list after ^, as in (a, b)"),
    "state ^ ()": (8, "this list is empty"),
    "state ^ (paused": (8, "this list is never closed"),
    "state ^ (paused,)": (15, "expected a value after the comma"),
    "state ^ (,paused)": (9, "expected a value after ^, found ','"),
    "state ^ (paused and x)": (16, 'as a value it needs quotes: "and"'),
    '""': (0, "this text is empty: every task has it"),
    'name ~ ""': (7, "every name contains this"),
    # what it would be elsewhere
    "state in (stopped, paused)": (6, "'in' is no operator for state: =, !=, ^, !^"),
    "not (state is stopped)": (11, "'is' is no operator for state"),
    "state ^stopped": (6, "'^stopped' is no operator for state"),
    'state ^"stopped"': (6, "is no operator for state"),
    "state:stopped": (0, "state is a field: expected an operator after it, not ':'"),
    "state :stopped": (6, "':stopped' is no operator for state"),
    "null?label": (0, "expected a space after null?"),
    "paused = state": (0, "there is no field 'paused'; did you mean state = paused?"),
    # signs are shown as they were written
    "state =! paused": (7, "found '!'"),
    "label = a and & b": (14, "found '&'"),
    "label = <> b": (8, "found '<>'"),
    "a\0b": (1, "this is no text"),
    "label = \ud800": (8, "this is no text"),
    "x" * 4097: (0, "the query is longer than 4096 bytes"),
    "é" * 2049: (0, "the query is longer than 4096 bytes"),
    "x" * 257: (0, "this is longer than 256 characters"),
    "name ~ " + "x" * 257: (7, "this is longer than 256 characters"),
    "(" * 33 + "a" + ")" * 33: (32, "more than 32 parentheses and nots"),
    "!" * 33 + "a": (32, "more than 32 parentheses and nots"),
    "a " * 101: (200, "more than 100 conditions"),
}


@pytest.mark.parametrize("query", WRONG, ids=lambda query: repr(query[:30]))
def test_query_that_cannot_be_read_is_refused_at_its_place(query: str) -> None:
    position, told = WRONG[query]

    with pytest.raises(QueryError) as refused:
        parse(query, ASKER)

    assert told in refused.value.message
    assert refused.value.position == position


@pytest.mark.parametrize(
    "query",
    ["(" * 32 + "a" + ")" * 32, "a " * 100, f"label ^ ({', '.join('abcdefgh' * 40)})", "x" * 256],
    ids=["depth", "conditions", "list", "text"],
)
def test_query_at_its_limits_is_read(query: str) -> None:
    parse(query, ASKER)


@pytest.mark.parametrize(
    "query",
    ["(" * 10_000, "a" * 1_000_000, "!" * 4096, '"' + "\\" * 4000, "a or " * 800, "1" * 4000],
    ids=["parentheses", "long", "nots", "backslashes", "ors", "digits"],
)
def test_huge_query_is_refused_quickly(query: str) -> None:
    begin = time.process_time()

    with pytest.raises(QueryError):
        parse(query, ASKER)

    assert time.process_time() - begin < 0.05


SAVED = Asker(
    "ana",
    1000,
    NOW,
    UTC,
    {
        "stuck": "state = paused",
        "bad": "stat =",
        "mine": "user = current_user and @stuck",
        "round": "a or @about",
        "about": "@round",
        "two": "a b",
    },
)


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("@stuck", "state = paused"),
        ("@mine", "user = current_user and (state = paused)"),
        ("@stuck and label = x", "(state = paused) and label = x"),
        ("not @two", 'not ("a" "b")'),
        ('"@stuck"', '"@stuck"'),
    ],
)
def test_saved_search_stands_for_its_query(query: str, read: str) -> None:
    assert str(parse(query, SAVED)) == read


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (
            "a @stick",
            "there is no saved search 'stick' (as a text it needs quotes); did you mean 'stuck'?",
        ),
        ("a @", "there is no saved search ''"),
        ("a @bad", "the saved search 'bad' cannot be read: there is no field 'stat'"),
        ("a @round", "the saved search 'round' cannot be read: the saved search 'about' cannot"),
    ],
)
def test_saved_search_that_cannot_be_read_is_refused(query: str, told: str) -> None:
    with pytest.raises(QueryError) as refused:
        parse(query, SAVED)

    assert told in refused.value.message
    assert refused.value.position == 2


def test_conditions_of_saved_searches_count() -> None:
    many = Asker("ana", 1000, NOW, UTC, {"many": "a " * 60})

    with pytest.raises(QueryError, match="more than 100 conditions"):
        parse("@many @many", many)
