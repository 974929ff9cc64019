"""`show`, `logs`, `locks`, `actions` and `wait`."""

import os
import signal

import pytest
from wire_records import (
    a_field,
    a_paused_task,
    a_step,
    a_task,
    an_action,
    an_action_step,
    an_error,
)


def line(text: str, step: str = "copy", **more):
    return {"at": "2025-11-03T12:00:00Z", "step": step, "stream": "stdout", "text": text} | more


def test_paused_task_has_no_result_yet(run, daemon):
    daemon.answers["tasks.get"] = a_paused_task()

    assert "? (error, if it were stopped now)" in run("show", "42").out


@pytest.mark.parametrize(
    ("state", "shown"), [("running", "running, being cancelled"), ("stopped", "stopped")]
)
def test_running_task_that_was_cancelled_says_so(run, daemon, state, shown):
    event = {"at": "2025-11-03T12:00:00Z", "event": "cancelled", "who": "ana", "detail": ""}
    daemon.answers["tasks.get"] = a_task(state=state, history=[event])

    lines = [line.split(maxsplit=1) for line in run("show", "42").out.splitlines()]

    assert ["state", shown] in lines


def test_all_sections_are_shown_without_a_flag(run, daemon):
    daemon.answers["tasks.get"] = a_paused_task(
        locks=[{"resource": "site:blog", "operation": "backup", "exclusive": True}],
        history=[{"at": "2025-11-03T12:00:00Z", "event": "created", "who": "ana", "detail": ""}],
        input={"site": "blog"},
    )

    out = run("show", "@last").out

    assert all(f"\n{name}\n" in out for name in ("Steps", "Errors", "Locks", "History", "Raw"))
    assert daemon.parameters("tasks.get")["task_id"] == "@last"


def test_only_the_sections_asked_for_are_shown(run, daemon):
    daemon.answers["tasks.get"] = a_paused_task()

    out = run("show", "42", "--errors").out

    assert "no target" in out
    assert "line 7" in out
    assert "Steps" not in out


def test_error_tells_how_far_its_step_was(run, daemon):
    failed = a_step(state="error", error=an_error(), note="40 of 100")
    daemon.answers["tasks.get"] = a_paused_task(steps=[failed])

    assert "copy  exit status 3  (40 of 100)" in run("show", "42", "--errors").out


def test_bars_in_a_pipe_are_of_a_fixed_width(run, daemon):
    step = a_step(ended_at="2025-11-03T12:03:20Z")
    daemon.answers["tasks.get"] = a_task(steps=[step])

    out = run("show", "42", "--steps").out

    assert out.endswith("  " + "━" * 40 + "\n")


def test_hostile_task_is_shown_inert(run, daemon):
    evil = "[/]\x1b[2J\u202e"
    error = an_error(kind=evil, message=evil, traceback=evil + "\nx")
    daemon.answers["tasks.get"] = a_task(
        name=evil,
        label=evil,
        input={evil: evil},
        steps=[a_step(name=evil, note=evil, state="error", error=error)],
        flow=["concurrence", evil, "more"],
        history=[{"at": "2025-11-03T12:00:00Z", "event": evil, "who": evil, "detail": evil}],
    )

    ran = run("show", "42")

    assert ran.code == 0
    assert not {"\x1b", "\u202e"} & set(ran.out)


def test_show_as_json_is_the_record(run, daemon):
    daemon.answers["tasks.get"] = a_paused_task()

    assert run("show", "42", "-o", "json").json == a_paused_task()


def test_log_lines_name_their_step_unless_one_is_asked_for(run, daemon):
    page = {"lines": [line("one"), line("t\two\x1b[2J")], "position": {}, "ended": True}
    daemon.answers |= {"tasks.get": a_task(), "logs.read": page}

    assert run("logs", "42").out == "copy | one\ncopy | t\two\\x1b[2J\n"
    assert run("logs", "42/copy").out == "one\nt\two\\x1b[2J\n"


def test_parts_of_a_long_line_are_one_line(run, daemon):
    page = {"lines": [line("one ", partial=True), line("line")], "position": {}, "ended": True}
    daemon.answers |= {"tasks.get": a_task(), "logs.read": page}

    assert run("logs", "42").out == "copy | one line\n"


def test_time_that_cannot_be_read_is_refused(run):
    assert run("logs", "42", "--since", "whenever").code == 2


def test_locks_are_listed_with_their_holder(run, daemon):
    lock = {
        "resource": "site:blog", "operation": "", "task_id": 42, "task_name": "Back up",
        "state": "paused", "user": "ana", "since": "2025-11-03T12:00:00Z",
        "held": True, "behind": [],
    }  # fmt: skip
    daemon.answers["locks.find"] = [lock]

    assert run("locks", "-o", "json").json == {"total": 1, "items": [lock]}
    assert "site:blog" in run("locks").out


def test_known_actions_are_listed_and_shown(run, daemon):
    action = an_action(doc="Back up\n\nmore")
    daemon.answers |= {"actions.get": action, "actions.find": [action], "actions.broken": []}

    assert "site  text  required" in run("actions", "backup.site").out
    assert run("actions", "-o", "name").out == "backup.site\n"


def test_hostile_action_is_shown_inert(run, daemon):
    evil = "[/]\x1b[2J\u202e"
    daemon.answers["actions.get"] = an_action(
        label=evil, title=evil, doc=evil, file=evil, locks=[evil],
        fields=[a_field(name=evil, schema={"enum": [evil]}, required=False, default=evil)],
        steps=[an_action_step(name=evil, doc=evil, needs=[evil])],
    )  # fmt: skip

    ran = run("actions", evil)

    assert ran.code == 0
    assert not {"\x1b", "\u202e"} & set(ran.out)


@pytest.mark.parametrize("form", ["table", "json", "name"])
@pytest.mark.parametrize(("count", "files"), [(1, "1 action file"), (2, "2 action files")])
def test_list_of_actions_tells_that_files_are_broken(run, daemon, form, count, files):
    broken = {"file": "a.py", "line": 3, "message": "invalid syntax"}
    daemon.answers |= {"actions.find": [], "actions.broken": [broken] * count}

    ran = run("actions", "-o", form)

    told = f"{files} could not be loaded: taskctl actions --broken"
    assert ran.err.splitlines()[-1] == told
    assert told not in ran.out


def test_broken_action_files_are_listed(run, daemon):
    daemon.answers["actions.broken"] = [{"file": "a.py", "line": 3, "message": "invalid syntax"}]

    assert "invalid syntax" in run("actions", "--broken").out


@pytest.mark.parametrize(("flags", "code"), [([], 8), (["--any"], 0)])
def test_waiting_for_several_is_judged_by_the_worst_that_was_awaited(run, daemon, flags, code):
    tasks = {1: a_task(id=1), 2: a_task(id=2, result="error")}
    daemon.answers["tasks.watch"] = lambda parameters: tasks[parameters["task_id"]]

    assert run("wait", "1", "2", *flags).code == code


def test_awaited_task_is_shown_whole_under_json(run, daemon):
    whole = a_paused_task(errors=[an_error(step="copy")])
    daemon.answers |= {"tasks.watch": a_paused_task(), "tasks.get": whole}

    ran = run("wait", "42", "-o", "json")

    assert (ran.code, ran.json) == (9, whole)


def test_awaited_tasks_are_shown_whole_under_json(run, daemon):
    tasks = {n: a_task(id=n, links=[{"resource": "site:blog"}]) for n in (1, 2)}
    daemon.answers |= {
        "tasks.watch": lambda parameters: a_task(id=parameters["task_id"]),
        "tasks.get": lambda parameters: tasks[parameters["task_id"]],
    }

    assert run("wait", "1", "2", "-o", "json").json["items"] == [tasks[1], tasks[2]]


@pytest.fixture
def interruptible():
    """Also where the tests were started in the background, where shells have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupt_names_the_task_that_last_stood_for(run, daemon):
    def watch(parameters):
        if parameters["task_id"] != "@last":
            os.kill(os.getpid(), signal.SIGINT)
        return a_task(state="running", result="pending")

    daemon.answers["tasks.watch"] = watch

    ran = run("wait", "@last")

    assert ran.code == 130
    assert ran.err.splitlines()[-1] == "detached; task 42 goes on. taskctl wait 42"
