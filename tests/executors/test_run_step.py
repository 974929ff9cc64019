"""A step of an author's file, run in this process: whatever it does becomes one outcome."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskd.actions.current import Current
from taskd.catalog.python_source import find_action, mount
from taskd.executors.base import Call, CallKind, Failure, Outcome, Planned, Success
from taskd.executors.run_step import MAX_TEXT, run_step
from taskd.model.lock import Lock
from taskd.model.step import StepError

ACTIONS = """\
import sys
from dataclasses import dataclass
from taskd import Action, Lock, SubTasks, action, concurrence, exclusive, link, request, sequence
from taskd import CommandFailed, step

@dataclass
class Server:
    host: str

class Unspeakable(Exception):
    def __str__(self):
        raise SystemExit("no")

class BackUp(Action, label="backup"):
    site: str = "blog"
    flow: list = None
    server: Server = None

    def title(self): return f"Back up {self.site}" if self.site != "blank" else " "

    def locks(self):
        if self.site == "one": return exclusive("site:x")
        if self.site == "text": return ["site:x"]
        return [exclusive(f"site:{self.site}", "backup"), link("host:web1")]

    def plan(self):
        return self.flow or sequence(self.dump, concurrence(self.copy, self.check))

    @step
    def dump(self): return f"{self.site} {self.task.id} {self.task.attempt} {self.task.kept}"
    @step
    def copy(self, dump): return {"dump": dump, "host": self.server and self.server.host}
    @step
    def check(self, dump): raise ValueError("cannot check " + dump)
    @step
    def leave(self): sys.exit(3)
    @step
    def mislead(self): raise CommandFailed("no", {"status": float("nan")})
    @step
    def interrupt(self): raise KeyboardInterrupt
    @step
    def recurse(self): return self.recurse()
    @step
    def speak(self): raise Unspeakable
    @step
    def shout(self): raise ValueError("x" * 1_000_000)
    @step
    def chain(self):
        try: self.check("a")
        except ValueError as error: raise RuntimeError("second") from error
    @step
    def command(self): self.task.run(["sh", "-c", "echo oh no >&2; exit 7"])
    @step
    def number(self): return float("nan")
    @step
    def keys(self): return {"a": [{1: 2}]}
    @step
    def unjson(self): return {"a": [Server("x")]}
    @step
    def loop(self):
        items = []
        items.append(items)
        return items
    @step
    def huge(self): return 10 ** 5000
    @step
    def leak(self):
        self.task.progress(0.5, "by hunter2")
        self.task.external_id = "id-hunter2"
        return {"hunter2": ["hunter2"]}
    @step
    def long(self): return "x" * 2_000_000
    @step
    def misspell(self): return self.siet
    @step
    def strange(self): return SubTasks([self, "backup"])
    @step
    def unjson_input(self): return SubTasks([request("x", at=[Server("y")])])
    def finalize(self): return "the end"
"""


@pytest.fixture(autouse=True)
def _mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "backup.py").write_text(ACTIONS)
    (tmp_path / "broken.py").write_text("x = 1\ndef (\n")
    mount([str(tmp_path)])
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "taskd_actions"]:
        del sys.modules[name]
    find_action.cache_clear()


def a_call(step: str, **changes: Any) -> Call:
    given: dict[str, Any] = {
        "id": 1, "task_id": 42, "task_name": "Back up", "user": "ana", "label": "backup",
        "kind": CallKind.STEP, "step": step, "attempt": 2, "module": "taskd_actions.backup",
        "name": "BackUp", "revision": "", "input": {"site": "blog"}, "outputs": {}, "kept": None,
        "log": "", "log_limit": 0, "timeout": None, "cancel_grace": 10.0,
    }  # fmt: skip
    return Call(**(given | changes))


def run(step: str, **changes: Any) -> Outcome:
    call = a_call(step, **changes)
    return run_step(call, Current(id=call.task_id, attempt=call.attempt, kept=call.kept))


def failed(step: str, **changes: Any) -> StepError:
    outcome = run(step, **changes)
    assert isinstance(outcome, Failure)
    return outcome.error


def plan(**input: Any) -> Outcome:
    return run("plan", kind=CallKind.PLAN, input=input)


def test_step_sees_input_and_the_task_that_it_is_part_of() -> None:
    assert run("dump", kept=[1]) == Success("blog 42 2 [1]")


def test_step_is_given_the_outputs_that_it_needs_and_no_others() -> None:
    outcome = run("copy", outputs={"dump": "x", "other": 1}, input={"server": {"host": "web1"}})

    assert outcome == Success({"dump": "x", "host": "web1"})


def test_finalize_is_run() -> None:
    assert run("finalize") == Success("the end")


def test_error_has_class_message_and_the_frames_of_the_author(tmp_path: Path) -> None:
    error = failed("check", outputs={"dump": "x"})

    assert (error.kind, error.message) == ("ValueError", "cannot check x")
    assert (error.step, error.action) == ("check", "backup")
    assert f'File "{tmp_path}/backup.py"' in error.traceback
    assert error.traceback.endswith("ValueError: cannot check x\n")
    assert "run_step" not in error.traceback


def test_chained_errors_are_both_told() -> None:
    error = failed("chain")

    assert error.kind == "RuntimeError"
    assert "ValueError: cannot check a" in error.traceback
    assert "direct cause" in error.traceback


@pytest.mark.parametrize(
    ("step", "kind", "message"),
    [
        ("leave", "SystemExit", "3"),
        ("interrupt", "KeyboardInterrupt", "KeyboardInterrupt"),
        ("recurse", "RecursionError", "maximum recursion depth exceeded"),
        ("speak", "Unspeakable", "its text cannot be made: SystemExit"),
        ("number", "InvalidAction", "step 'number' returned what is no JSON: its output is nan"),
        ("keys", "InvalidAction", "its output['a'][0] has the key 1, and keys must be text"),
        ("unjson", "InvalidAction", "its output['a'][0] is of type Server"),
        ("loop", "InvalidAction", "its output holds itself, or is nested more than"),
        ("huge", "InvalidAction", "its output is too large a number"),
        ("long", "InvalidAction", "returned 2000002 bytes, and 1 MiB at the most is kept"),
        ("strange", "InvalidAction", "step 'strange': SubTasks takes actions, as in"),
        ("unjson_input", "InvalidAction", "gives x what is no JSON: its input['at'][0] is of type"),
        ("misspell", "AttributeError", "no attribute 'siet'; did you mean 'site'?"),
    ],
)
def test_whatever_a_step_does_is_a_failure(step: str, kind: str, message: str) -> None:
    error = failed(step)

    assert error.kind == kind
    assert message in error.message


def test_what_is_wrong_with_an_output_is_told_with_its_place_and_remedy(tmp_path: Path) -> None:
    line = ACTIONS[: ACTIONS.index("def unjson(self)")].count("\n") + 1

    assert failed("unjson").message == (
        f"{tmp_path}/backup.py:{line}: BackUp: step 'unjson' returned what is no JSON: its"
        " output['a'][0] is of type Server: use str, int, float, bool, list or dict"
    )


def test_failed_command_has_its_status_and_last_lines() -> None:
    error = failed("command")

    assert (error.kind, error.detail) == ("CommandFailed", {"status": 7})
    assert error.message.endswith("ended with status 7: oh no")


def test_detail_that_nobody_can_keep_hides_no_error() -> None:
    error = failed("mislead")

    assert (error.kind, error.message, error.detail) == ("CommandFailed", "no", None)


def test_secrets_are_in_no_word_of_a_step() -> None:
    said: list[object] = []
    secrets = ("hunter2", "")
    current = Current(
        report=lambda _fraction, note: said.append(note), tell=said.append, secrets=secrets
    )

    outcome = run_step(a_call("leak", secrets=secrets), current)

    assert outcome == Success({"…": ["…"]})
    assert said == ["by …", "id-…"]


def test_long_messages_are_cut() -> None:
    error = failed("shout")

    assert len(error.message) < MAX_TEXT + 100
    assert "characters are left out" in error.message
    assert len(error.traceback) < MAX_TEXT + 100


def test_secrets_are_not_in_errors() -> None:
    error = failed("check", outputs={"dump": "hunter2"}, secrets=("hunter2",))

    assert error.message == "cannot check …"
    assert "hunter2" not in error.traceback


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": "gone"}, "action changed: no step 'gone'"),
        ({"step": "copy"}, "action changed: step 'copy' now needs 'dump', which has not run"),
        ({"step": "dump", "name": "Gone"}, "action changed: no action 'Gone' in"),
        ({"step": "dump", "module": "taskd_actions.gone"}, "action changed: no module"),
    ],
)
def test_code_that_changed_under_a_task_is_told(changes: dict[str, Any], message: str) -> None:
    error = failed(**changes)

    assert error.kind == "action-changed"
    assert error.message.startswith(message)


def test_new_input_without_default_is_told(tmp_path: Path) -> None:
    (tmp_path / "more.py").write_text(
        "from taskd import action\n@action(label='x')\ndef more(host: str) -> None: ...\n"
    )

    error = failed("more", module="taskd_actions.more", name="more", input={})

    assert error.kind == "action-changed"
    assert error.message == "action changed: new input 'host'; give it a default"


def test_file_that_cannot_be_loaded_is_a_failure(tmp_path: Path) -> None:
    error = failed("dump", module="taskd_actions.broken")

    assert error.kind == "SyntaxError"
    assert f'File "{tmp_path}/broken.py", line 2' in error.traceback


def test_plan_is_title_locks_and_flow() -> None:
    assert plan(site="blog") == Planned(
        "Back up blog",
        ["sequence", "dump", ["concurrence", "copy", "check"]],
        (Lock("site:blog", "backup"), Lock("host:web1", exclusive=False)),
    )


def test_kind_of_a_call_from_json_is_read() -> None:
    assert isinstance(run("plan", kind="plan"), Planned)


@pytest.mark.parametrize(
    ("input", "message"),
    [
        ({"site": "blank"}, "title() returned ' '"),
        ({"site": "one"}, "yield or return a list of locks"),
        ({"site": "text"}, "locks() gave 'site:x'"),
        ({"flow": ["sequence", "dmup"]}, "names 'dmup', which is not a step; did you mean 'dump'?"),
        ({"flow": ["sequence", "dump", "dump"]}, "names step 'dump' twice"),
        ({"flow": ["sequence", "copy", "dump"]}, "does not run 'dump' before 'copy'"),
        ({"flow": ["concurrence", "dump", "copy"]}, "does not run 'dump' before 'copy'"),
        ({"flow": ["sequence", "copy"]}, "does not run 'dump' before 'copy'"),
        ({"flow": ["series", "dump"]}, "return sequence(…) or concurrence(…)"),
        ({"flow": [["dump"]]}, "return sequence(…) or concurrence(…)"),
    ],
)
def test_wrong_plan_is_a_failure(input: dict[str, Any], message: str) -> None:
    outcome = plan(**input)

    assert isinstance(outcome, Failure)
    assert outcome.error.kind == "InvalidAction"
    assert message in outcome.error.message
    assert re.match(r"/.*/backup\.py:\d+: BackUp: ", outcome.error.message)


def test_plan_may_leave_out_what_no_kept_step_needs() -> None:
    outcome = plan(flow=["sequence", "dump", "copy"])

    assert isinstance(outcome, Planned)
    assert outcome.flow == ["sequence", "dump", "copy"]
