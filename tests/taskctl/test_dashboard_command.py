"""`dashboard`: everything on one page, also narrow, wide, piped and watched."""

import pytest
from scripted_daemon import Refusal

from taskctl.view.dashboard import dashboard

MOMENT = "2025-11-03T12:00:00Z"


def a_count(state="stopped", result="success", total=912224, recent=12):
    return {"state": state, "result": result, "total": total, "recent": recent}


def a_bad(**changes):
    return {
        "task_id": 42, "name": "Back up blog", "state": "paused", "result": "error",
        "at": MOMENT, "why": "disk full",
    } | changes  # fmt: skip


def a_dashboard(**changes):
    coming = {
        "at": MOMENT,
        "task_id": 7,
        "name": "Tidy",
        "recurring_logic_id": None,
        "cron_line": None,
    }
    skip = {
        "recurring_logic_id": 3, "name": "Blog", "at": MOMENT, "event": "skipped",
        "detail": "task 42 is paused", "times": 5,
    }  # fmt: skip
    return {
        "at": MOMENT, "since": MOMENT, "note": "",
        "counts": [
            a_count("paused", "error", 3, 1),
            a_count("planned", "pending", 20000, None),
            a_count(),
        ],
        "paused": [a_bad()],
        "failed": [a_bad(task_id=41, state="stopped", result="warning")],
        "coming": [coming, coming | {"recurring_logic_id": 3, "cron_line": "30 2 * * *"}],
        "skipped": [skip],
        "waiting": [{"resource": "site:blog", "waiting": 12, "since": MOMENT, "holders": [42]}],
    } | changes  # fmt: skip


@pytest.fixture
def shown(run, daemon):
    daemon.answers["dashboard.get"] = a_dashboard()
    return run("dashboard").out


def words(text):
    return [line.split() for line in text.splitlines()]


def test_numbers_are_there_with_their_age(shown):
    assert ["stopped", "success", "912,224", "12"] in words(shown)
    assert ["planned", "20,000", "–"] in words(shown)  # too many to look at


def test_paused_tasks_are_told_with_what_to_type(shown):
    assert "disk full" in shown
    assert "  taskctl resume 42\n" in shown
    assert "and 2 more: taskctl list --search 'state = paused'" in shown


def test_what_comes_and_what_did_not_is_there(shown):
    assert "Tidy  task 7" in shown
    assert "Tidy  30 2 * * * (recurring 3)" in shown
    assert "Blog  skipped 5 ×  task 42 is paused" in shown
    assert "site:blog  12 waiting  since" in shown
    assert "behind task 42" in shown


def test_empty_sections_are_left_out(run, daemon):
    nothing = {name: [] for name in ("paused", "failed", "coming", "skipped", "waiting")}
    daemon.answers["dashboard.get"] = a_dashboard(**nothing)

    titles = [line for line in run("dashboard").out.splitlines() if line and line[0] != " "]

    assert titles == ["Tasks"]


def drawn(width, page=None):
    from taskctl.view.console import Console

    console = Console(width=width, file=None, color_system=None)
    with console.capture() as captured:
        console.print(dashboard(page or a_dashboard(), width))
    return captured.get()


def test_why_nothing_is_started_stands_above_all_once(run, daemon):
    page = a_dashboard(note="drained since today")
    daemon.answers |= {"hello": {"note": page["note"]}, "dashboard.get": page}

    ran = run("dashboard")

    assert drawn(80, page).startswith("drained since today\n\nTasks\n")
    assert (ran.out.count("drained"), ran.err.count("drained")) == (0, 1)


def test_it_is_side_by_side_where_there_is_room():
    first_line = [drawn(width).splitlines()[0].split() for width in (80, 200)]

    assert first_line == [["Tasks"], ["Tasks", "In", "need", "of", "a", "hand"]]


@pytest.mark.parametrize("width", [40, 80, 139, 140, 200])
def test_no_line_is_too_long_and_no_command_is_cut(width):
    text = drawn(width)

    assert max(map(len, text.splitlines())) <= width
    assert "taskctl resume 42" in text


def test_hostile_texts_are_inert(run, daemon):
    evil = "[/]\x1b[2J\u202e"
    bad = a_bad(name=evil, why=evil)
    daemon.answers["dashboard.get"] = a_dashboard(paused=[bad], failed=[bad])

    assert not {"\x1b", "\u202e"} & set(run("dashboard").out)


def test_programs_get_the_record_and_spreadsheets_the_numbers(run, daemon):
    daemon.answers["dashboard.get"] = a_dashboard()

    assert run("dashboard", "-o", "json").json == a_dashboard()
    assert run("dashboard", "-o", "csv").out.splitlines()[:2] == [
        "state,result,total,recent",
        "paused,error,3,1",
    ]


def test_watched_in_a_pipe_it_is_printed_when_it_changes(run, daemon):
    pages = [a_dashboard(), a_dashboard(at="2025-11-03T12:00:01Z"), a_dashboard(waiting=[])]

    def answer(_parameters):
        if not pages:
            raise Refusal("busy", "that is all")
        return pages.pop(0)

    daemon.answers["dashboard.get"] = answer

    assert run("dashboard", "--watch").out.count("Tasks\n") == 2
