"""`resume`, `cancel`, `skip`, `unlock` with `--search`: ask, act, leave what has changed."""

import pytest
from scripted_daemon import Refusal
from wire_records import a_page, a_task

MEANT = "(label = shell) and started_at >= 2025-11-03T00:00:00+01:00"


@pytest.fixture
def two(daemon):
    """A daemon that finds two tasks; the second has changed meanwhile."""

    def act(parameters):
        if parameters["task_id"] == 43:
            raise Refusal("no-match", "task 43 does not match any more")
        return a_task(id=parameters["task_id"], state="running", result="pending")

    daemon.answers |= {
        "tasks.explain": {"query": MEANT, "order": "id desc", "plan": []},
        "tasks.find": a_page(a_task(id=42), a_task(id=43)),
        "tasks.cancel": act,
        "tasks.resume": act,
    }
    return daemon


def test_each_request_carries_what_was_meant(run, two):
    ran = run("cancel", "--force", "--search", "label = shell started_at = today", "--yes")

    assert two.parameters("tasks.find")["search"] == MEANT
    assert two.parameters("tasks.cancel") == {"task_id": 43, "force": True, "search": MEANT}
    assert ran.out == "task 42 is being cancelled; taskctl wait 42\n"


@pytest.mark.usefixtures("two")
def test_what_has_changed_meanwhile_is_left_alone_and_no_failure(run):
    ran = run("cancel", "--search", "x", "--yes", "-o", "json")

    skipped = [{"id": 43, "reason": "task 43 does not match any more"}]
    assert (ran.code, ran.json) == (0, {"done": [42], "skipped": skipped, "failed": []})


@pytest.mark.usefixtures("two")
def test_without_a_terminal_it_says_what_to_type(run):
    ran = run("cancel", "--search", "label = 'x'")

    assert ran.code == 2
    assert """taskctl cancel --search 'label = '"'"'x'"'"'' --yes""" in ran.err


@pytest.mark.parametrize(
    ("answer", "code", "acted"), [("y", 0, True), ("n", 1, False), ("", 1, False)]
)
def test_in_a_terminal_it_shows_some_and_asks(run, two, monkeypatch, answer, code, acted):
    two.answers["tasks.find"] = a_page(*(a_task(id=n, name=f"Task {n}") for n in range(50, 57)))
    monkeypatch.setattr("taskctl.acting.is_asked_by_a_person", lambda: True)

    ran = run("cancel", "--search", "x", stdin=f"{answer}\n")

    assert ran.code == code
    assert ("tasks.cancel" in [method for method, _ in two.asked]) == acted
    assert "task 54 (Task 54), stopped, success" in ran.err
    assert "Task 55" not in ran.err
    assert "… and 2 more" in ran.err
    assert "cancel these 7 tasks?" in ran.err


def test_noop_is_told_to_the_daemon(run, two):
    ran = run("resume", "--search", "x", "--noop")

    asked = two.parameters("tasks.resume")
    assert (asked["search"], asked["noop"]) == (MEANT, True)
    assert ran.out == "would resume task 42 (Back up blog), running, pending\n"


def test_resume_without_tasks_means_those_that_need_a_hand(run, two):
    run("resume", "--yes")

    assert two.parameters("tasks.explain")["search"] == "state = paused and result = error"


def test_nothing_that_matches_is_nothing_to_do(run, two):
    two.answers["tasks.find"] = a_page()

    ran = run("cancel", "--search", "x")

    assert (ran.code, ran.out) == (0, "")
    assert "no such task" in ran.err


@pytest.mark.parametrize("query", ["", "  "])
@pytest.mark.parametrize("command", ["resume", "cancel", "skip", "unlock"])
def test_search_without_a_condition_is_refused(run, two, command, query):
    ran = run(command, "--search", query, "--yes")

    assert ran.code == 2
    assert "means all tasks" in ran.err
    assert two.asked == []


@pytest.mark.parametrize("command", ["resume", "cancel", "skip", "unlock"])
def test_ids_and_search_exclude_each_other(run, two, command):
    ran = run(command, "42", "--search", "x")

    assert (ran.code, two.asked) == (2, [])


def test_thousands_are_asked_for_in_parts(run, two):
    def find(parameters):
        first = int(parameters["after"] or 0) + 1
        items = [a_task(id=n) for n in range(first, min(first + parameters["limit"], 1201))]
        return a_page(*items) | {"after": str(items[-1]["id"])}

    two.answers["tasks.find"] = find

    ran = run("cancel", "--search", "x", "--yes", "-o", "name")

    assert ran.out.split() == [str(n) for n in range(1, 1201) if n != 43]
