"""`taskctl list`: its forms, and a table that fits."""

import io
import json

import pytest
import yaml
from rich.console import Console
from scripted_daemon import Refusal
from wire_records import a_page, a_task

from taskctl.view import columns
from taskctl.view.table import table

LONG = a_task(id=123456, name="x" * 200, label="y" * 90, state="scheduled", result="cancelled")


def printed(width: int, *tasks: dict) -> list[str]:
    screen = Console(file=io.StringIO(), width=width)
    screen.print(table(columns.choose(columns.for_width(width)), tasks))
    return screen.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 110, 200])
def test_table_fits_its_terminal_and_only_long_texts_are_cut(width):
    heading, row = printed(width, LONG)

    assert max(len(heading), len(row)) <= width
    assert "123456" in row
    assert "scheduled  cancelled" in row
    assert "2025-11-03" in row
    assert "…" in row


def test_table_in_a_pipe_is_whole_and_plain(run, daemon):
    daemon.answers["tasks.find"] = a_page(LONG)

    ran = run("list")

    assert "x" * 200 in ran.out
    assert "\x1b" not in ran.out
    assert len(ran.out.splitlines()) == 2


@pytest.mark.parametrize("name", ["[/]", "[red]x", "\x1b]0;title\x07", "a\nb\u202e"])
@pytest.mark.parametrize("form", ["table", "json", "jsonl", "yaml", "csv"])
def test_hostile_name_reaches_no_form_as_it_is(run, daemon, name, form):
    daemon.answers["tasks.find"] = a_page(a_task(name=name))

    ran = run("list", "-o", form, "--color", "never")

    assert ran.code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(ran.out)


def test_json_is_one_document_without_what_full_adds(run, daemon):
    daemon.answers["tasks.find"] = a_page(a_task(), a_task(id=41))

    shown = run("list", "-o", "json").json

    assert (shown["total"], [t["id"] for t in shown["items"]]) == (2, [42, 41])
    assert not {"steps", "locks", "input", "history"} & shown["items"][0].keys()


def test_more_than_can_be_counted_has_no_total(run, daemon):
    daemon.answers["tasks.find"] = {"items": [a_task()], "total": None, "more": True}

    shown = run("list", "-o", "json").json

    assert (shown["total"], shown["more"]) == (None, True)


def test_name_is_an_id_a_line(run, daemon):
    daemon.answers["tasks.find"] = a_page(a_task(), a_task(id=41))

    assert run("list", "-o", "name").out == "42\n41\n"


def test_csv_has_the_columns_asked_for(run, daemon):
    daemon.answers["tasks.find"] = a_page(a_task(name="=1+1"))

    ran = run("list", "-o", "csv", "--columns", "id,name")

    assert ran.out.splitlines() == ["id,name", "42,'=1+1"]


@pytest.mark.parametrize("form", ["json", "jsonl", "yaml"])
def test_records_have_the_columns_asked_for(run, daemon, form):
    daemon.answers["tasks.find"] = a_page(a_task())

    out = run("list", "-o", form, "--columns", "name,id").out

    shown = yaml.safe_load(out)  # which JSON is, too
    record = {"json": lambda: shown["items"][0], "jsonl": lambda: shown, "yaml": lambda: shown[0]}
    assert list(record[form]().items()) == [("name", "Back up blog"), ("id", 42)]


def test_columns_may_be_those_that_full_adds(run, daemon):
    daemon.answers["tasks.find"] = a_page(a_task(input={"site": "blog"}))

    shown = run("list", "-o", "json", "--full", "--columns", "id,input").json

    assert shown["items"] == [{"id": 42, "input": {"site": "blog"}}]


def test_names_are_ids_whatever_the_columns(run, daemon):
    daemon.answers["tasks.find"] = a_page(a_task())

    assert run("list", "-o", "name", "--columns", "state").out == "42\n"


def test_no_headers_leaves_them_out(run, daemon):
    daemon.answers["tasks.find"] = a_page(a_task())

    assert len(run("list", "--no-headers").out.splitlines()) == 1


def test_all_reads_page_after_page(run, daemon):
    def find(parameters):
        first = int(parameters["after"] or 701) - 1
        return {
            "items": [a_task(id=n) for n in range(first, max(first - 500, 0), -1)],
            "total": 700,
            "after": str(max(first - 499, 1)),
        }

    daemon.answers["tasks.find"] = find

    ids = run("list", "--all", "-o", "name").out.split()

    assert ids == [str(n) for n in range(700, 0, -1)]


def test_limit_above_what_the_daemon_gives_at_once_is_paged(run, daemon):
    def find(parameters):
        assert parameters["limit"] <= 1000
        first = int(parameters["after"] or 4001) - 1
        items = [a_task(id=n) for n in range(first, first - parameters["limit"], -1)]
        return {"items": items, "total": 4000, "more": False, "after": str(items[-1]["id"])}

    daemon.answers["tasks.find"] = find

    shown = run("list", "--limit", "1203", "-o", "json").json

    assert [task["id"] for task in shown["items"]] == list(range(4000, 2797, -1))
    assert shown["total"] == 4000


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "yaml", "csv"])
def test_unknown_column_is_refused_with_a_suggestion(run, daemon, form):
    daemon.answers["tasks.find"] = a_page(a_task())

    ran = run("list", "-o", form, "--columns", "id,stat")

    assert ran.code == 2
    assert "did you mean 'state'?" in ran.err


def refuse(parameters):
    raise Refusal("query-error", "expected a value", position=7, query=parameters["search"])


def test_caret_points_at_what_is_wrong_in_a_search(run, daemon):
    daemon.answers["tasks.find"] = refuse

    ran = run("list", "--search", "state = ")

    assert ran.code == 2
    assert ran.err.splitlines() == ["taskctl: expected a value", "  state = ", "         ^"]


def test_caret_is_below_wide_characters_and_escapes(run, daemon):
    daemon.answers["tasks.find"] = refuse

    shown, caret = run("list", "--search", "\x1b\u4e2d= \x07x = ").err.splitlines()[1:]

    assert "\x1b" not in shown
    assert caret.index("^") > 9


def test_long_query_is_shown_around_what_is_wrong(run, daemon):
    daemon.answers["tasks.find"] = refuse

    shown = run("list", "--search", "a " * 100).err.splitlines()[1]

    assert len(shown) < 70
    assert shown.endswith("…")


def test_position_is_told_to_programs(run, daemon):
    daemon.answers["tasks.find"] = refuse

    error = json.loads(run("list", "-o", "json", "--search", "state = ").err)["error"]

    assert (error["code"], error["position"]) == ("query-error", 7)


def test_count_is_a_number(run, daemon):
    daemon.answers["tasks.count"] = 12345

    assert run("list", "--count", "--search", "x").out == "12345\n"
    assert run("list", "--count", "-o", "json").json == {"count": 12345}


def test_explanation_is_shown(run, daemon):
    told = {"query": "state = paused", "order": "id desc", "plan": ["SEARCH tasks"]}
    daemon.answers["tasks.explain"] = told

    assert run("list", "--explain").out.splitlines() == [
        "query  state = paused",
        "order  id desc",
        "sqlite SEARCH tasks",
    ]
    assert run("list", "--explain", "-o", "json").json == told
