"""`cleanup`: what it asks for, and what it says of the answer."""

from typing import Any

import pytest

FILTER = "label = a and state = stopped"


def a_report(matched: int = 2, deleted: int = 2, **changes: Any) -> dict[str, Any]:
    sample = [[1, "One"], [2, "[red]Two\x1b[2J"]]
    part = {"name": "a", "filter": FILTER, "matched": matched, "deleted": deleted, "sample": sample}
    given = {"noop": False, "parts": [part], "orphans": 0, "backup": "", "stopped": False}
    return given | changes


@pytest.fixture
def two(daemon):
    """A daemon that deletes two tasks."""
    daemon.answers |= {
        "cleanup.run": lambda asked: a_report(0 if asked["search"] == "none" else 2),
        "cleanup.progress": {"matched": 2, "deleted": 1},
    }
    return daemon


def test_without_options_the_rules_are_followed(run, two):
    ran = run("cleanup")

    assert (ran.code, ran.out) == (0, f"a: deleted 2 tasks: {FILTER}\n")
    assert two.parameters("cleanup.run") == {
        "search": None,
        "after": None,
        "states": None,
        "noop": False,
        "batch_size": 1000,
        "backup": None,
    }


def test_options_are_passed_on(run, two):
    options = ["--after", "10d", "--states", "paused, stopped", "--batch-size", "50", "--no-backup"]

    run("cleanup", "--search", "label = a", *options)

    assert two.parameters("cleanup.run") == {
        "search": "label = a",
        "after": "10d",
        "states": ["paused", "stopped"],
        "noop": False,
        "batch_size": 50,
        "backup": False,
    }


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(("states", "told"), [("running", True), ("paused,stopped", False)])
def test_who_asks_for_what_runs_is_told_that_it_stays(run, states, told):
    ran = run("cleanup", "--search", "label = a", "--states", states)

    assert (ran.code, "what runs is never deleted" in ran.err) == (0, told)


def test_sample_is_inert_and_says_how_many_more_there_are(run, daemon):
    daemon.answers["cleanup.run"] = a_report(7, 0, noop=True)

    ran = run("cleanup", "--noop")

    assert ran.out.splitlines() == [
        f"a: would delete 7 tasks: {FILTER}",
        "  task 1 (One)",
        "  task 2 ([red]Two\\x1b[2J)",
        "  … and 5 more",
    ]


def test_what_is_left_what_was_orphaned_and_where_it_is_kept_is_said(run, daemon):
    daemon.answers["cleanup.run"] = a_report(3, 2, orphans=1, backup="/b/c.jsonl.gz")

    ran = run("cleanup")

    assert ran.out.splitlines()[1:] == [
        "  1 task changed meanwhile, or could not be ended",
        "removed the logs of 1 task that there are not any more",
        "they are kept: taskctl import /b/c.jsonl.gz",
    ]


def test_nothing_to_follow_is_said(run, daemon):
    daemon.answers["cleanup.run"] = a_report(parts=[])

    ran = run("cleanup")

    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "nothing says what to delete: taskctl cleanup --show-config\n"


@pytest.mark.usefixtures("two")
def test_programs_get_the_parts(run):
    part = {"name": "a", "filter": FILTER, "matched": 2, "deleted": 2}

    assert run("cleanup", "-o", "json").json == {"noop": False, "parts": [part]}
    assert run("cleanup", "-o", "jsonl").json == part
    assert run("cleanup", "-o", "name").out == "a\n"
    assert run("cleanup", "-o", "csv").out.splitlines() == [
        "name,filter,matched,deleted",
        f"a,{FILTER},2,2",
    ]


@pytest.mark.usefixtures("two")
def test_verbose_says_how_far_it_is_on_stderr(run):
    ran = run("cleanup", "--verbose", "-o", "json")

    assert ran.code == 0
    assert ran.json["parts"]


@pytest.mark.parametrize(
    ("answer", "code", "deleted"), [("y", 0, True), ("n", 1, False), ("", 1, False)]
)
def test_person_is_asked_before_a_search_deletes(run, two, monkeypatch, answer, code, deleted):
    monkeypatch.setattr("taskctl.commands.cleanup.is_asked_by_a_person", lambda: True)

    ran = run("cleanup", "--search", "label = a", stdin=f"{answer}\n")

    assert ran.code == code
    assert "task 1 (One)" in ran.err
    assert "delete 2 tasks, for good?" in ran.err
    asked = [parameters["noop"] for method, parameters in two.asked if method == "cleanup.run"]
    assert asked == [True, False][: 1 + deleted]


@pytest.mark.parametrize(
    "words", [["cleanup"], ["cleanup", "--search", "none"], ["cleanup", "--search", "a", "--yes"]]
)
@pytest.mark.usefixtures("two")
def test_person_is_not_asked_for_nothing(run, monkeypatch, words):
    monkeypatch.setattr("taskctl.commands.cleanup.is_asked_by_a_person", lambda: True)

    ran = run(*words)

    assert ran.code == 0
    assert "for good?" not in ran.err
