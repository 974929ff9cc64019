"""`resume`, `skip` and `cancel`: done, refused, some of both."""

import json

import pytest
from scripted_daemon import Refusal
from wire_records import a_step, a_task


@pytest.fixture
def only_even(daemon):
    def act(parameters):
        number = parameters["task_id"]
        if number % 2:
            raise Refusal(
                "invalid-state", f"cannot resume task {number}: it is stopped, not paused"
            )
        return a_task(id=number, state="running", result="pending")

    daemon.answers |= {"tasks.resume": act, "tasks.cancel": act}
    return daemon


@pytest.mark.usefixtures("only_even")
def test_what_was_done_and_what_to_type_next_is_one_line(run):
    ran = run("resume", "42")

    assert (ran.code, ran.out) == (0, "task 42 resumed; taskctl wait 42\n")


@pytest.mark.usefixtures("only_even")
def test_all_refused_has_the_code_of_the_first_reason(run):
    ran = run("resume", "41", "43")

    assert ran.code == 5
    assert "task 41" in ran.err
    assert "task 43" in ran.err


@pytest.mark.usefixtures("only_even")
def test_some_refused_is_code_11_and_names_them(run):
    ran = run("resume", "42", "43", "-o", "json")

    reason = "cannot resume task 43: it is stopped, not paused"
    assert ran.code == 11
    assert ran.json == {"done": [42], "skipped": [], "failed": [{"id": 43, "reason": reason}]}


@pytest.mark.usefixtures("only_even")
def test_all_refused_under_json_is_told_on_both_streams(run):
    ran = run("cancel", "43", "-o", "json")

    assert ran.json["done"] == []
    assert json.loads(ran.err)["error"]["code"] == "invalid-state"


@pytest.mark.usefixtures("only_even")
def test_ids_are_read_from_stdin(run):
    ran = run("cancel", "-", "-o", "name", stdin="42\n44\n42\n")

    assert ran.out.split() == ["42", "44"]


@pytest.mark.usefixtures("only_even")
def test_nothing_on_stdin_is_nothing_to_do(run):
    assert run("cancel", "-", stdin="").code == 0


@pytest.mark.parametrize("name", ["skip", "cancel", "wait"])
@pytest.mark.usefixtures("only_even")
def test_ids_are_needed(run, name):
    ran = run(name)

    assert ran.code == 2
    assert f"{name} needs task ids" in ran.err


@pytest.mark.usefixtures("only_even")
def test_what_is_no_id_is_a_usage_error(run):
    assert run("resume", "4x").code == 2


def test_force_is_passed_on(run, only_even):
    run("cancel", "--force", "42")

    assert only_even.parameters("tasks.cancel")["force"] is True


@pytest.fixture
def skipping(daemon):
    """`skip` goes on without step copy."""
    steps = [a_step(state="skipped"), a_step(name="verify", state="pending")]
    daemon.answers["tasks.skip"] = lambda parameters: a_task(
        id=parameters["task_id"], state="running", result="pending", steps=steps
    )
    return daemon


def asked_to_skip(daemon):
    return [parameters for method, parameters in daemon.asked if method == "tasks.skip"]


def test_steps_of_a_task_are_skipped_together(run, skipping):
    ran = run("skip", "42/copy", "@last/copy", "43", "42/verify")

    assert asked_to_skip(skipping) == [
        {"task_id": 42, "steps": ["copy", "verify"]},
        {"task_id": "@last", "steps": ["copy"]},
        {"task_id": 43, "steps": None},
    ]
    assert ran.out.splitlines()[0] == "task 42 goes on without copy; taskctl wait 42"


@pytest.mark.parametrize("words", [("42", "42/copy"), ("42/copy", "42")])
def test_whole_task_comes_before_its_steps(run, skipping, words):
    run("skip", *words)

    assert asked_to_skip(skipping) == [{"task_id": 42, "steps": None}]


def test_steps_to_skip_are_read_from_stdin(run, skipping):
    ran = run("skip", "-", "-o", "json", stdin="42/copy 43\n")

    assert [asked["steps"] for asked in asked_to_skip(skipping)] == [["copy"], None]
    assert ran.json == {"done": [42, 43], "skipped": [], "failed": []}


@pytest.mark.parametrize("word", ["42/", "copy", "/copy", "@first/copy"])
def test_what_names_no_step_skips_nothing(run, skipping, word):
    assert run("skip", "41/copy", word).code == 2
    assert asked_to_skip(skipping) == []


@pytest.mark.parametrize(
    ("state", "result", "told"),
    [
        ("paused", "error", "task 42 stays paused, since fetch failed, too; taskctl show 42\n"),
        ("stopped", "warning", "task 42 ended without copy: warning; taskctl show 42\n"),
    ],
)
def test_task_that_does_not_go_on_after_a_skip_says_so(run, daemon, state, result, told):
    steps = [a_step(state="skipped"), a_step(name="fetch", state="error")]
    daemon.answers["tasks.skip"] = a_task(state=state, result=result, steps=steps)

    assert run("skip", "42/copy").out == told
