"""The command as a whole: help, options anywhere, errors and exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scripted_daemon import Refusal
from wire_records import a_page, a_task

COMMANDS = ["actions", "cancel", "exec", "list", "locks", "logs", "resume", "run", "show", "wait"]
COMMANDS += ["version"]
SLOW = ("rich", "sqlite_utils", "yaml", "croniter")


def test_help_lists_every_command(run):
    help = run("--help")

    assert help.code == 0
    assert all(f"\n  {name} " in help.out for name in COMMANDS)


def test_no_words_are_answered_with_the_help_on_stderr(run):
    ran = run()

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == run("--help").out


def test_words_without_a_command_are_a_usage_error(run):
    assert run("--").code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(run, name):
    help = run(name, "--help")

    assert help.code == 0
    assert "Global options:" in help.out


def test_help_loads_nothing_slow():
    code = "import sys; from taskctl.main import main; main(['--help']); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert not set(SLOW) & {name.partition(".")[0] for name in loaded.stdout.split()}


def test_list_as_json_loads_no_model(daemon):
    daemon.answers["tasks.find"] = a_page(a_task())
    code = (
        "import sys; from taskctl.main import main; main(['list', '-o', 'json']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {"taskd.model.task", "rich", "yaml"} & set(ran.stderr.split())


@pytest.mark.parametrize("words", [("-o", "json", "list"), ("list", "-o", "json")])
def test_global_options_stand_before_or_after_the_command(run, daemon, words):
    daemon.answers["tasks.find"] = a_page(a_task())

    assert run(*words).json["total"] == 1


def test_unknown_command_is_a_usage_error_with_a_suggestion(run):
    ran = run("lsit")

    assert ran.code == 2
    assert "did you mean 'list'?" in ran.err


def test_command_of_taskd_is_named_as_such(run):
    assert "did you mean 'taskd status'?" in run("status").err


def test_unknown_option_is_a_usage_error_with_a_suggestion(run):
    ran = run("list", "--limt", "3")

    assert ran.code == 2
    assert "--limit" in ran.err


def test_usage_error_is_one_object_under_json(run):
    ran = run("list", "--limt", "3", "-o", "json")

    assert json.loads(ran.err)["error"]["code"] == "usage"
    assert ran.out == ""


def test_refusal_is_one_object_under_json(run, daemon):
    def refuse(_):
        raise Refusal("not-found", "no task 7", "taskctl list")

    daemon.answers["tasks.get"] = refuse
    ran = run("show", "7", "-o", "json")

    assert ran.code == 3
    expected = {"code": "not-found", "message": "no task 7", "hint": "taskctl list"}
    assert json.loads(ran.err) == {"error": expected}


def test_error_text_is_inert(run, daemon):
    def refuse(_):
        raise Refusal("invalid-input", "bad \x1b[2J", "try \x07")

    daemon.answers["tasks.get"] = refuse
    ran = run("show", "7")

    assert (ran.code, "\x1b" in ran.err, "\x07" in ran.err) == (2, False, False)


@pytest.mark.parametrize("kind", ["mkdir", "touch"])
def test_socket_that_is_none_is_said_to_be_none(run, tmp_path, kind):
    getattr(tmp_path / "file", kind)()

    ran = run("list", "--socket", str(tmp_path / "file"))

    assert ran.code == 6
    assert f"{tmp_path}/file: it is no socket" in ran.err


def test_empty_socket_path_is_a_mistake_of_the_caller(run):
    ran = run("list", "--socket", "")

    assert ran.code == 2
    assert "empty path" in ran.err


@pytest.mark.parametrize("words", [("exec", "--"), ("list", "--socket"), ()])
def test_word_that_is_not_utf8_is_refused_before_anything_is_sent(run, daemon, words):
    ran = run(*words, "/mnt/ž\x1b\udcff")

    assert ran.code == 2
    assert r"/mnt/ž\x1b\xff is not UTF-8" in ran.err
    assert daemon.asked == []


def test_no_daemon_says_which_socket_and_what_to_type(run, tmp_path):
    ran = run("list", "--socket", str(tmp_path / "none"))

    assert ran.code == 6
    assert f"{tmp_path}/none" in ran.err
    assert "taskd start" in ran.err


def test_reader_that_has_seen_enough_is_no_error(daemon):
    daemon.answers["tasks.find"] = a_page(*[a_task(id=n) for n in range(2000)])
    command = f"{sys.executable} -m taskctl list -o jsonl | head -1; echo ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)

    assert ran.stdout.splitlines()[-1] == "0"
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("list >&-", 0),
        ("list 2>&-", 0),
        ("list <&-", 0),
        ("wait - <&-", 0),
        ("run x --input - <&-", 2),
        ("lsit 2>&-", 2),
        (r"wait - < <(printf '\xff')", 2),
        (r"run x --input - < <(printf '\xff')", 2),
    ],
)
def test_streams_may_be_closed_or_hold_anything(daemon, line, status):
    daemon.answers["tasks.find"] = a_page(a_task())
    command = f"{sys.executable} -m taskctl {line}"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)

    assert ran.returncode == status, ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr


def test_version_is_that_of_the_distribution(run):
    project = Path(__file__).parents[2] / "pyproject.toml"

    version = run("version", "-o", "json").json["version"]

    assert f'version = "{version}"' in project.read_text()


def test_version_is_an_option_too(run):
    assert run("--version").out == run("version").out
