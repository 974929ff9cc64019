"""Action files are edited while tasks are paused: what is resumed uses the code as it is then."""

from real_daemon import Daemon

YAML = """\
label: greet
input: {{ledger: str}}
steps:
  first: {{shell: echo first >> "$ledger"}}
  {second}: {{shell: {command}}}
"""
PYTHON = """\
from taskd import Action, step


class Greet(Action, label="greet"):
    ledger: str

    @step
    def first(self) -> str:
        return self.note("first")

    @step
    def {second}(self, first: str) -> str:
        {command}

    def note(self, name):
        with open(self.ledger, "a") as file:
            file.write(name + "\\n")
        return name
"""


def yaml(command: str, second: str = "second") -> str:
    return YAML.format(command=command, second=second)


def python(command: str, second: str = "second") -> str:
    return PYTHON.format(command=command, second=second)


def test_resume_runs_an_edited_command(running: Daemon) -> None:
    running.write_action("greet.yaml", yaml('"exit 3"'))
    task_id = running.start_action("greet")
    assert running.wait(task_id) == 9

    running.write_action("greet.yaml", yaml('echo second >> "$ledger"'))
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 0
    assert running.show(task_id)["result"] == "warning"
    assert running.ledger_lines() == ["first", "second"]


def test_resume_runs_an_edited_method(running: Daemon) -> None:
    running.write_action("greet.py", python("raise ValueError('not yet')"))
    task_id = running.start_action("greet")
    assert running.wait(task_id) == 9
    assert running.show(task_id)["errors"][0]["kind"] == "ValueError"

    running.write_action("greet.py", python("return self.note('second')"))
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 0
    assert running.show(task_id)["result"] == "warning"
    assert running.ledger_lines() == ["first", "second"]


def test_file_that_an_action_imports_is_noticed_too(running: Daemon) -> None:
    (running.actions / "words.py").write_text("def word(): raise ValueError('not yet')\n")
    command = "import taskd_actions.words; return self.note(taskd_actions.words.word())"
    running.write_action("greet.py", python(command))
    task_id = running.start_action("greet")
    assert running.wait(task_id) == 9

    running.write_action("words.py", "def word(): return 'second'\n")
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 0
    assert running.ledger_lines() == ["first", "second"]


def test_new_task_of_an_edited_action_uses_the_new_code(running: Daemon) -> None:
    running.write_action("greet.py", python("return self.note('old')"))
    assert running.wait(running.start_action("greet")) == 0

    running.write_action("greet.py", python("return self.note('new')"))

    assert running.wait(running.start_action("greet")) == 0
    assert running.ledger_lines() == ["first", "old", "first", "new"]


def test_vanished_step_of_a_yaml_action_pauses_again(running: Daemon) -> None:
    running.write_action("greet.yaml", yaml("exit 3"))
    task_id = running.start_action("greet")
    running.wait(task_id)

    running.write_action("greet.yaml", yaml("exit 0", second="another"))
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 9
    [error] = running.show(task_id)["errors"]
    assert (error["kind"], error["step"]) == ("action-changed", "second")
    assert "action changed: no step 'second'" in error["message"]


def test_vanished_step_of_a_class_pauses_again(running: Daemon) -> None:
    running.write_action("greet.py", python("raise ValueError"))
    task_id = running.start_action("greet")
    running.wait(task_id)

    running.write_action("greet.py", python("return first", second="another"))
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 9
    [error] = running.show(task_id)["errors"]
    assert (error["kind"], error["step"]) == ("action-changed", "second")
    assert "action changed: no step 'second'" in error["message"]


def test_step_that_needs_more_than_before_is_given_what_has_run(running: Daemon) -> None:
    forgetful = python("raise ValueError").replace("self, first: str", "self")
    running.write_action("greet.py", forgetful)
    task_id = running.start_action("greet")
    running.wait(task_id)

    running.write_action("greet.py", python("return self.note(first + '!')"))
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 0
    assert running.ledger_lines() == ["first", "first!"]


MORE = """\
label: greet
input: {ledger: str}
steps:
  first: {shell: echo first}
  more: {shell: echo more}
  second: {shell: echo "$more"}
"""


def test_step_that_needs_what_has_not_run_pauses_again(running: Daemon) -> None:
    running.write_action("greet.yaml", yaml("exit 3"))
    task_id = running.start_action("greet")
    running.wait(task_id)

    running.write_action("greet.yaml", MORE)
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 9
    [error] = running.show(task_id)["errors"]
    assert error["kind"] == "action-changed"
    assert "step 'second' now needs 'more', which has not run" in error["message"]


def test_input_that_is_new_since_then_has_its_default(running: Daemon) -> None:
    running.write_action("greet.yaml", yaml('"exit 3"'))
    task_id = running.start_action("greet")
    assert running.wait(task_id) == 9

    edited = yaml('echo "$whom" >> "$ledger"').replace(
        "str}", "str, whom: {type: str, default: ana}}"
    )
    running.write_action("greet.yaml", edited)
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 0
    assert running.ledger_lines() == ["first", "ana"]


def test_required_input_that_is_new_since_then_is_asked_for_by_name(running: Daemon) -> None:
    running.write_action("greet.yaml", yaml('"exit 3"'))
    task_id = running.start_action("greet")
    assert running.wait(task_id) == 9

    edited = yaml('echo "$whom" >> "$ledger"').replace("str}", "str, whom: str}")
    running.write_action("greet.yaml", edited)
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 9
    [error] = running.show(task_id)["errors"]
    assert error["kind"] == "action-changed"
    assert "new input 'whom'; give it a default" in error["message"]


def test_vanished_action_pauses_its_task_and_comes_back(running: Daemon) -> None:
    file = running.write_action("greet.yaml", yaml("exit 3"))
    task_id = running.start_action("greet")
    running.wait(task_id)

    file.unlink()
    running.taskctl("resume", task_id)
    assert running.wait(task_id) == 9
    assert running.show(task_id)["errors"][0]["kind"] == "action-changed"

    running.write_action("greet.yaml", yaml('echo second >> "$ledger"'))
    running.taskctl("resume", task_id)
    assert running.wait(task_id) == 0
    assert running.ledger_lines() == ["first", "second"]


def test_broken_edit_is_named_where_one_looks_and_others_go_on(running: Daemon) -> None:
    running.write_action("fine.yaml", "label: fine\nsteps:\n  say: {shell: echo fine}\n")
    file = running.write_action("greet.py", python("raise ValueError"))
    task_id = running.start_action("greet")
    running.wait(task_id)

    running.write_action("greet.py", python("return first +"))
    running.taskctl("resume", task_id)
    listed = running.json("actions", "--broken")["items"]
    started = running.taskctl("run", "greet", f"ledger={running.ledger}")

    assert [(one["file"], one["line"]) for one in listed] == [(str(file), 13)]
    assert running.wait(task_id) == 9
    assert f"{file}:13" in running.show(task_id)["errors"][0]["message"]
    assert started.returncode != 0
    assert f"{file}:13" in started.stderr
    assert running.taskctl("run", "fine", "--wait").returncode == 0


def test_broken_yaml_edit_is_named_by_file_and_line(running: Daemon) -> None:
    file = running.write_action("greet.yaml", yaml("exit 3"))
    task_id = running.start_action("greet")
    running.wait(task_id)

    running.write_action("greet.yaml", yaml("[no, command]"))
    running.taskctl("resume", task_id)

    [broken] = running.json("actions", "--broken")["items"]
    assert (broken["file"], broken["line"]) == (str(file), 5)
    assert running.wait(task_id) == 9
    assert f"{file}:5" in running.show(task_id)["errors"][0]["message"]
