"""`run` and `exec`: what the daemon is asked, and how waiting ends."""

import os

import pytest
from wire_records import a_paused_task, a_step, a_task, an_error

RUNNING = a_task(state="running", result="pending", version=1)


@pytest.fixture
def starting(daemon):
    daemon.answers |= dict.fromkeys(
        ("tasks.start", "tasks.start_definition", "tasks.exec"), RUNNING
    )
    return daemon


def test_pairs_are_words_and_json(run, starting):
    run("run", "backup.site", "site=blog=x", 'channels:=["ops"]')

    asked = starting.parameters("tasks.start")
    assert asked["words"] == {"site": "blog=x"}
    assert asked["input"] == {"channels": ["ops"]}


def test_options_that_were_not_given_are_not_sent(run, starting):
    run("run", "backup.site", "--lock", "site:blog/backup", "--priority", "-5")

    asked = starting.parameters("tasks.start")
    assert (asked["locks"], asked["priority"]) == (["site:blog/backup"], -5)
    assert not {"name", "key", "links", "on_conflict"} & asked.keys()


def test_file_is_sent_as_its_text(run, starting, tmp_path):
    file = tmp_path / "backup.yaml"
    file.write_text("label: x\n")

    run("run", str(file))

    asked = starting.parameters("tasks.start_definition")
    assert (asked["text"], asked["file"]) == ("label: x\n", str(file))


def test_secret_is_read_from_a_file_and_other_text_is_not(run, starting, tmp_path):
    fields = [{"name": "token", "schema": {"format": "secret"}}, {"name": "who", "schema": {}}]
    starting.answers["actions.get"] = {"fields": fields}
    (tmp_path / "token").write_text("s3cret\n")

    run("run", "x", f"token=@{tmp_path}/token", "who=@ops")

    assert starting.parameters("tasks.start")["words"] == {"token": "s3cret", "who": "@ops"}


@pytest.mark.parametrize(
    "words", [["site"], ["a=1", "a=2"], ["a:={"], ["--input", "[1]"], ["--input", "@/none"]]
)
@pytest.mark.usefixtures("starting")
def test_input_that_cannot_be_read_is_refused(run, words):
    ran = run("run", "backup.site", *words)

    assert ran.code == 2
    assert ran.err.startswith("taskctl: ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "x", "--input", "@"], "expected the name of a file after it"),
        (["run", "x", "--input", "{}", "--input", "{}"], "--input is given twice"),
        (["run", "x", "--timeout", "3s"], "it needs --wait or --follow"),
        (["run", "deploy/x.py"], "not run from its file, but put into the folder of actions"),
        (["exec", "--", ""], "the command is empty"),
    ],
)
def test_mistake_is_named_and_nothing_is_started(run, starting, words, told):
    ran = run(*words)

    assert ran.code == 2
    assert told in ran.err
    assert starting.asked == []


def test_several_words_are_a_command_and_one_is_a_line(run, starting):
    run("exec", "--", "ls", "-l", "--output", "x")
    several = starting.parameters("tasks.exec")["command"]
    run("exec", "ls | wc")

    assert several == ["ls", "-l", "--output", "x"]
    assert starting.parameters("tasks.exec")["command"] == "ls | wc"


def test_command_runs_here_with_little_of_the_environment(run, starting, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")

    run("exec", "--env", "A=b=c", "--time-limit", "2m", "--", "true")

    asked = starting.parameters("tasks.exec")
    assert asked["cwd"] == os.getcwd()
    assert asked["environment"]["A"] == "b=c"
    assert asked["environment"]["PATH"] == os.environ["PATH"]
    assert "SECRET_OF_THE_CALLER" not in asked["environment"]
    assert asked["time_limit"] == 120.0


@pytest.mark.usefixtures("starting")
def test_quiet_prints_the_id_only(run):
    ran = run("exec", "-q", "true")

    assert (ran.out, ran.err) == ("42\n", "")


ENDS = [
    (a_task(), 0),
    (a_task(result="warning"), 0),
    (a_task(result="error"), 8),
    (a_paused_task(), 9),
    (a_task(result="cancelled"), 10),
]


@pytest.mark.parametrize(("end", "code"), ENDS)
def test_awaited_result_is_the_exit_code(run, starting, end, code):
    starting.answers["tasks.watch"] = end

    assert run("run", "backup.site", "--wait").code == code


def test_paused_task_says_step_error_and_what_to_type(run, starting):
    starting.answers["tasks.watch"] = a_paused_task()

    ran = run("run", "backup.site", "--wait")

    assert "step copy failed: no target" in ran.err
    assert "taskctl resume 42" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ([a_step(name="tell", state="pending")], True),
        ([a_step(name="dump", state="success")], True),
        ([], False),
        ([a_step(name="plan", kind="plan", state="success")], False),
    ],
)
def test_paused_task_tells_how_to_go_on_without_a_step_among_others(run, starting, others, told):
    failed = a_step(state="error", error=an_error())
    starting.answers["tasks.watch"] = a_paused_task(steps=[failed, *others])

    ran = run("run", "backup.site", "--wait")

    assert ("taskctl skip 42/copy\n" in ran.err) is told


def test_skipped_step_is_not_told_as_what_failed(run, starting):
    skipped = a_step(name="fetch", state="skipped", error=an_error())
    failed = a_step(state="error", error=an_error())
    starting.answers["tasks.watch"] = a_paused_task(steps=[skipped, failed])

    ran = run("run", "backup.site", "--wait")

    assert "step copy failed" in ran.err
    assert "fetch" not in ran.err


def test_changes_are_told_once_each(run, starting):
    news = iter(
        [
            RUNNING | {"steps": [a_step(state="running")]},
            RUNNING | {"version": 2, "steps": [a_step(state="running", progress=0.5)]},
            a_task(version=3),
        ]
    )
    starting.answers["tasks.watch"] = lambda _: next(news)

    ran = run("run", "backup.site", "--wait")

    assert ran.err.splitlines() == [
        "task 42 running: copy",
        "task 42 ended: success, after 3m 20s",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [([], True), (["--wait"], True), (["--wait", "-o", "json"], True), (["-o", "json"], False)],
)
def test_whoever_starts_or_waits_learns_once_why_nothing_runs(run, starting, words, told):
    starting.answers |= {"hello": {"note": "safe mode"}, "tasks.watch": a_task()}
    starting.answers["tasks.get"] = a_task()

    ran = run("run", "backup.site", *words)

    assert ran.err.count("taskctl: safe mode\n") == told


def test_waiting_ends_at_its_timeout_and_the_task_goes_on(run, starting):
    starting.answers["tasks.watch"] = RUNNING

    ran = run("run", "backup.site", "--wait", "--timeout", "0s")

    assert ran.code == 7
    assert "taskctl wait 42" in ran.err


def test_interrupt_detaches(run, starting):
    starting.answers["tasks.watch"] = lambda _: os.kill(os.getpid(), 2)

    ran = run("run", "backup.site", "--wait")

    assert ran.code == 130
    assert "detached; task 42 goes on. taskctl wait 42" in ran.err
    assert "tasks.cancel" not in [method for method, _ in starting.asked]


def test_followed_output_is_all_printed_before_the_end(run, starting):
    def read(parameters):
        seen = parameters["position"].get("1", 0)
        lines = [
            {"at": "2025-11-03T12:00:00Z", "step": "copy", "stream": "stdout", "text": "a\x1b"}
        ]
        return {"lines": [] if seen else lines, "position": {"1": 1}, "ended": False}

    starting.answers |= {"tasks.watch": a_task(), "logs.read": read}

    ran = run("run", "backup.site", "--follow")

    assert ran.out == "copy | a\\x1b\n"


def test_awaited_task_is_one_object_under_json(run, starting):
    whole = a_task(history=[{"event": "created"}])
    starting.answers |= {"tasks.watch": a_task(), "tasks.get": whole}

    assert run("run", "backup.site", "--wait", "-o", "json").json == whole


def test_times_and_tasks_to_wait_for_are_sent_as_they_were_written(run, starting):
    run("run", "x", "--at", "tomorrow", "--before", "3d", "--after", "7,@last", "--after", "9,7")

    asked = starting.parameters("tasks.start")
    assert (asked["at"], asked["before"]) == ("tomorrow", "3d")
    assert asked["after"] == [7, "@last", 9]


@pytest.mark.parametrize("words", ["", "7,", "x", "7 8"])
@pytest.mark.usefixtures("starting")
def test_tasks_to_wait_for_are_ids(run, words):
    assert run("run", "x", "--after", words).code == 2


def test_what_does_not_start_at_once_says_when_it_does(run, daemon):
    scheduled = {"state": "scheduled", "created_at": "2030-01-01T00:00:00Z"}
    daemon.answers["tasks.start"] = a_task(**scheduled, start_at="2030-01-02T00:00:00Z")

    ran = run("run", "x", "--at", "tomorrow", "--after", "7,9")

    assert "is scheduled for 2030-01-02" in ran.out
    assert "after task 7, task 9:" in ran.out
