"""What is suggested at a TAB, by a scripted daemon's answers."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from scripted_daemon import Refusal
from wire_records import a_field, a_page, a_step, a_task, an_action

from taskctl.completing import suggest
from taskctl.shells.typed import Typed

TASKCTL = Path(sys.executable).with_name("taskctl")


def suggested(*words):
    """At the end of the last word."""
    return {each.word: each.help for each in suggest(Typed(list(words[:-1]), words[-1]))}


def complete(*words):
    """The process, as a script starts it."""
    environment = os.environ | {"_TASKCTL_COMPLETE": "fish"}
    return subprocess.run(
        [TASKCTL, *words], env=environment, capture_output=True, text=True, check=False
    )


def test_commands_are_told_with_what_they_do():
    assert suggested("re")["resume"].startswith("Resume tasks")
    assert {"list", "show", "completion"} <= suggested("").keys()
    assert suggested("-o", "json", "li").keys() == {"list"}


def test_options_and_their_choices():
    assert suggested("list", "--se").keys() == {"--search"}
    assert "--socket" in suggested("list", "-")
    assert suggested("list", "-o", "js").keys() == {"json", "jsonl"}
    assert suggested("list", "--output=js").keys() == {"--output=json", "--output=jsonl"}
    assert suggested("run", "x", "--on-conflict", "w").keys() == {"wait"}


def test_ids_are_told_with_name_and_state(daemon):
    daemon.answers["tasks.find"] = a_page(a_task(), a_task(id=17), a_task(id=420))

    assert suggested("show", "4") == {
        "42": "Back up blog, stopped",
        "420": "Back up blog, stopped",
    }


@pytest.mark.parametrize(
    ("words", "search"),
    [
        (["show"], ""),
        (["logs"], ""),
        (["wait"], "state != stopped and state != paused"),
        (["resume"], "state = paused"),
        (["skip"], "state = paused"),
        (["cancel"], "state != stopped"),
        (["unlock"], "state = paused"),
        (["unlock", "--force"], "state != stopped"),
    ],
)
def test_only_tasks_that_a_command_is_for_are_suggested(daemon, words, search):
    daemon.answers["tasks.find"] = a_page(a_task())

    assert suggested(*words, "").keys() == {"42"}
    assert daemon.parameters("tasks.find")["search"] == search


def test_id_that_was_given_is_not_suggested_again(daemon):
    daemon.answers["tasks.find"] = a_page(a_task(), a_task(id=17))

    assert suggested("resume", "42", "").keys() == {"17"}
    assert suggested("skip", "42", "").keys() == {"17"}


def test_steps_follow_an_id(daemon):
    steps = [a_step(), a_step(name="dump", state="error")]
    daemon.answers["tasks.get"] = a_task(steps=steps)

    assert suggested("logs", "42/") == {"42/copy": "success", "42/dump": "error"}
    assert suggested("skip", "42/").keys() == {"42/dump"}


def test_labels_of_actions(daemon):
    daemon.answers["actions.find"] = [an_action(doc="Back up.\nMore."), an_action(label="demo")]

    assert suggested("run", "b") == {"backup.site": "Back up."}
    assert suggested("actions", "").keys() == {"backup.site", "demo"}


def test_files_with_an_action(daemon, tmp_path, monkeypatch):
    daemon.answers["actions.find"] = []
    for name in ("a.yaml", "b.yml", "c.txt", ".hidden.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)

    assert suggested("run", "").keys() == {"a.yaml", "b.yml", "folder/"}
    assert suggested("run", f"{tmp_path}/a").keys() == {f"{tmp_path}/a.yaml"}
    assert suggested("exec", "--cwd", "f").keys() == {"folder/"}


def test_inputs_of_an_action(daemon, tmp_path, monkeypatch):
    (tmp_path / "secret").touch()
    monkeypatch.chdir(tmp_path)
    fields = [
        a_field(),
        a_field(name="loud", schema={"type": "boolean"}, required=False),
        a_field(name="how", schema={"enum": ["fast", "well"]}, required=False),
    ]
    daemon.answers["actions.get"] = an_action(fields=fields)

    assert suggested("run", "x", "") == {
        "site=": "string, required",
        "loud=": "boolean",
        "how=": "any",
    }
    assert suggested("run", "x", "site=a", "").keys() == {"loud=", "how="}
    assert suggested("run", "x", "loud=").keys() == {"loud=true", "loud=false"}
    assert suggested("run", "x", "how=f").keys() == {"how=fast"}
    assert suggested("run", "x", "site=@s").keys() == {"site=@secret"}


def test_resources_are_those_locked_or_waited_for(daemon):
    claims = [{"resource": "site:blog"}, {"resource": "site:blog"}, {"resource": "host:a"}]
    daemon.answers["locks.find"] = claims

    for words in (["locks", "--resource"], ["exec", "--lock"], ["run", "x", "--link"]):
        assert suggested(*words, "s").keys() == {"site:blog"}


def test_columns_one_after_the_other():
    assert suggested("list", "--columns", "id,sta").keys() == {
        "id,state", "id,started_at", "id,start_at", "id,start_before", "id,state_updated_at"
    }  # fmt: skip
    assert "state,state" not in suggested("list", "--columns", "state,")
    assert suggested("list", "--order", "dur").keys() == {"duration", "duration desc"}


@pytest.mark.parametrize("command", ["list", "resume", "cancel", "skip", "unlock"])
def test_search_is_completed_by_the_daemon(daemon, command):
    daemon.answers["tasks.complete"] = [{"text": "state =", "help": "is"}]

    assert suggested(command, "--search", "sta") == {"state =": "is"}
    assert suggested(command, "--search=sta") == {"--search=state =": "is"}
    assert daemon.parameters("tasks.complete") == {"search": "sta"}


def test_searches_and_words_that_are_begun_go_on(daemon):
    daemon.answers["tasks.complete"] = [{"text": "state", "help": "text"}]
    daemon.answers["actions.get"] = an_action()

    assert [each.goes_on for each in suggest(Typed(["list", "--search"], ""))] == [True]
    assert [each.goes_on for each in suggest(Typed(["run", "x"], ""))] == [True]
    assert [each.goes_on for each in suggest(Typed([], "lis"))] == [False]


def test_daemon_that_was_named_is_asked(daemon, monkeypatch):
    monkeypatch.setenv("TASKD_SOCKET", "/nowhere")
    daemon.answers["tasks.find"] = a_page(a_task())

    assert suggested("--socket", str(daemon.path), "show", "").keys() == {"42"}


def test_what_would_be_acted_on_is_not_suggested(daemon):
    daemon.answers["actions.find"] = [an_action(label="a\nb"), an_action(label="\x1b[2J")]

    assert suggested("actions", "") == {}


def test_process_prints_suggestions_and_nothing_else(daemon):
    daemon.answers |= {"hello": {"note": "safe mode"}, "tasks.find": a_page(a_task())}

    told = complete("show", "4")

    assert (told.returncode, told.stdout, told.stderr) == (0, "42\tBack up blog, stopped\n", "")


@pytest.mark.parametrize(
    "words",
    [["nonsense", ""], ["show", "x/"], ["resume", "-", ""], ["show", "\udcff"], []],
    ids=repr,
)
def test_whatever_goes_wrong_nothing_is_said(daemon, words):
    def refuse(_parameters):
        raise Refusal("internal", "it broke")

    daemon.answers["tasks.find"] = daemon.answers["tasks.get"] = refuse

    told = complete(*words)

    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_without_a_daemon_nothing_is_said(monkeypatch):
    monkeypatch.setenv("TASKD_SOCKET", "/nowhere")

    told = complete("show", "")

    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_unknown_shell_is_told_nothing(monkeypatch):
    monkeypatch.setenv("_TASKCTL_COMPLETE", "tcsh")

    told = subprocess.run([TASKCTL, "li"], capture_output=True, text=True, check=False)

    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_daemon_that_hangs_holds_nobody_up(daemon):
    over = threading.Event()

    def find(_parameters):
        over.wait(20)
        return a_page(a_task())

    daemon.answers["tasks.find"] = find

    told = complete("show", "")
    over.set()

    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
