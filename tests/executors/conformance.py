"""What every executor must do. One line runs it on one: `class TestX(Conformance, on="x"): ...`.

The steps are written twice: as Python and, in `COMMANDS`, as what a command can do of it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from attempts import gone, pid_in, wait_for
from rig import Rig, a_rig

from taskd.executors.base import (
    CallKind,
    Cancelled,
    Delegated,
    Failure,
    Interrupted,
    NeverRan,
    Planned,
    Progress,
    Snoozed,
    SubTask,
    Success,
)
from taskd.model.step import StepError

STEPS = """\
import os
import subprocess
import sys
import time
from pathlib import Path
from taskd import Action, Secret, Snooze, SubTasks, step


class Demo(Action, label="demo"):
    place: str
    word: str = ""
    password: Secret[str]

    def title(self): return f"Demo of {self.word}"

    def until(self, condition):
        while not condition():
            time.sleep(0.005)

    @step
    def first(self): return {"of": ["first", None, 1.5]}
    @step
    def tell(self, first):
        return {"first": first, "word": self.word, "task": str(self.task.id),
                "attempt": str(self.task.attempt)}
    @step
    def kept(self): return self.task.kept
    @step
    def nothing(self): return None
    @step
    def snooze(self): return Snooze(60, keep={"at": 1})
    @step
    def delegate(self): return SubTasks([Demo(place="x", word="y", password="")], concurrency=5)
    @step
    def name(self): self.task.external_id = "x-1"
    @step
    def fail(self): raise ValueError(f"no {self.word}")
    @step
    def odd(self): return {1: object()}
    @step
    def leave(self): sys.exit(3)
    @step
    def interrupt(self): raise KeyboardInterrupt
    @step
    def vanish(self): os._exit(3)
    @step
    def orphan(self):
        line = 'echo $$ > "$0"; exec sleep 60'
        subprocess.Popen(["sh", "-c", line, self.place], start_new_session=True, env={})
        self.until(lambda: Path(self.place).exists() and Path(self.place).read_text())
        os.kill(os.getpid(), 9)
    @step
    def speak(self):
        print("to", "stdout")
        print("to stderr", file=sys.stderr)
        print("no end", end="")
    @step
    def command(self): self.task.run(["sh", "-c", "echo from within; echo oh no >&2; exit 7"])
    @step
    def advance(self):
        for percent in range(100):
            self.task.progress(percent / 100, f"{percent} of 100")
        raise ValueError("no further")
    @step
    def whisper(self):
        print(f"it is {self.password}")
        return {"it": [f"is {self.password}"]}
    @step
    def betray(self): raise ValueError(f"wrong: {self.password}")
    @step
    def note(self):
        with open(self.place, "a") as file:
            file.write(self.word + "\\n")
    @step
    def wait(self):
        self.note()
        self.until(lambda: Path(self.place + ".go").exists())
        return "done"
    @step
    def meet(self):
        Path(self.place, self.word).touch()
        self.until(lambda: len(os.listdir(self.place)) == 2)
    @step
    def heed(self):
        self.begin()
        self.until(lambda: self.task.cancelled)
        raise RuntimeError("gave up half-way")
    @step
    def finish(self):
        self.begin()
        self.until(lambda: self.task.cancelled)
        return "done all the same"
    @step
    def ignore(self):
        self.begin()
        self.until(lambda: False)

    def begin(self):
        Path(self.place).write_text(f"{os.getpid()}\\n")
"""

COMMANDS = {
    "tell": """printf 'first=%s\\nword=%s\\ntask=%s\\nattempt=%s\\n' \\
        "$first" "$word" "$TASKD_TASK_ID" "$TASKD_ATTEMPT" > "$TASKD_OUTPUT" """,
    "nothing": "true",
    "fail": 'echo "no $word" >&2; exit 3',
    "orphan": 'env -i setsid sh -c \'echo $$ > "$0"; exec sleep 60\' "$place" & '
    'until [ -s "$place" ]; do sleep 0.01; done; kill -9 $PPID; sleep 60',
    "speak": "echo to stdout; echo to stderr >&2; printf 'no end'",
    "advance": 'for n in $(seq 0 99); do echo "$n $n of 100" > "$TASKD_PROGRESS"; done; exit 3',
    "whisper": 'echo "it is $password"; echo "it=is $password" > "$TASKD_OUTPUT"',
    "betray": 'echo "wrong: $password" >&2; exit 3',
    "note": 'echo "$word" >> "$place"',
    "wait": 'echo "$word" >> "$place"; until [ -e "$place.go" ]; do sleep 0.01; done; echo done',
    "meet": 'touch "$place/$word"; until [ "$(ls "$place" | wc -l)" = 2 ]; do sleep 0.01; done',
    "heed": 'echo $$ > "$place"; exec sleep 60',
    "ignore": "trap '' TERM; echo $$ > \"$place\"; while :; do sleep 0.01; done",
}

_ONLY_PYTHON = "only Python has it"
CANNOT: dict[str, dict[str, str]] = {
    "process": {},
    "thread": {
        "test_step_that_does_not_heed_is_killed": "nothing can end a thread",
        "test_force_does_not_wait": "nothing can end a thread",
        "test_step_that_does_not_heed_its_time_limit_is_killed": "nothing can end a thread",
        "test_process_that_dies_under_a_step_is_told": "it is the daemon's",
        "test_what_a_process_that_dies_has_started_is_dead": "it is the daemon's",
    },
    "inline": dict.fromkeys(
        (
            "test_cancelled_step_that_heeds_is_cancelled",
            "test_step_that_is_cancelled_at_once_does_not_run_on",
            "test_time_limit_may_be_over_before_a_step_begins",
            "test_cancelled_step_may_succeed_all_the_same",
            "test_step_that_does_not_heed_is_killed",
            "test_force_does_not_wait",
            "test_step_that_heeds_its_time_limit_is_an_error",
            "test_success_that_comes_late_is_an_error",
            "test_step_that_does_not_heed_its_time_limit_is_killed",
            "test_call_that_waits_for_a_slot_is_given_back",
            "test_calls_run_side_by_side",
            "test_call_given_while_another_runs_is_run_after_it",
            "test_process_that_dies_under_a_step_is_told",
            "test_what_a_process_that_dies_has_started_is_dead",
        ),
        "a step has ended when `start` returns",
    ),
    "command": {
        "test_output_is_any_json": _ONLY_PYTHON,
        "test_step_may_ask_to_be_called_again": _ONLY_PYTHON,
        "test_step_may_ask_for_tasks": _ONLY_PYTHON,
        "test_id_in_an_outside_service_is_told": _ONLY_PYTHON,
        "test_output_that_is_no_json_is_an_error": _ONLY_PYTHON,
        "test_step_sees_what_it_kept": _ONLY_PYTHON,
        "test_task_is_planned": _ONLY_PYTHON,
        "test_exception_that_ends_programs_is_an_error": _ONLY_PYTHON,
        "test_command_of_a_step_prints_to_its_log": _ONLY_PYTHON,
        "test_cancelled_step_may_succeed_all_the_same": "what was told counts as cancelled",
        "test_success_that_comes_late_is_an_error": _ONLY_PYTHON,
        "test_process_that_dies_under_a_step_is_told": "test_attempt.py has it",
    },
}


class Conformance:
    executor: ClassVar[str]

    def __init_subclass__(cls, on: str) -> None:
        cls.executor = on
        for test in CANNOT[on]:
            assert hasattr(cls, test)
            setattr(cls, test, None)

    @pytest.fixture(autouse=True)
    def _leave_no_bytecode(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "dont_write_bytecode", True)

    @pytest.fixture
    def rig(self, tmp_path: Path) -> Iterator[Rig]:
        with a_rig(self.executor, tmp_path, STEPS, COMMANDS, slots=4) as rig:
            yield rig

    @pytest.fixture
    def narrow(self, tmp_path: Path) -> Iterator[Rig]:
        """It has one slot."""
        with a_rig(self.executor, tmp_path, STEPS, COMMANDS, slots=1) as rig:
            yield rig

    def failure(self, rig: Rig, step: str, **changes: object) -> StepError:
        outcome = rig.run(step, **changes)
        assert isinstance(outcome, Failure)
        return outcome.error

    # What a step is given, and gives

    def test_step_is_given_inputs_outputs_and_its_attempt(self, rig: Rig) -> None:
        outcome = rig.run("tell", word="bl og; $x", outputs={"first": "it's"}, attempt=3)

        given = {"first": "it's", "word": "bl og; $x", "task": "42", "attempt": "3"}
        assert outcome == Success(given)

    def test_step_sees_what_it_kept(self, rig: Rig) -> None:
        assert rig.run("kept", kept={"at": [3]}) == Success({"at": [3]})

    def test_step_need_not_have_an_output(self, rig: Rig) -> None:
        assert rig.run("nothing") == Success(None)

    def test_output_is_any_json(self, rig: Rig) -> None:
        assert rig.run("first") == Success({"of": ["first", None, 1.5]})

    def test_step_may_ask_to_be_called_again(self, rig: Rig) -> None:
        assert rig.run("snooze") == Snoozed(60.0, {"at": 1})

    def test_step_may_ask_for_tasks(self, rig: Rig) -> None:
        input = {"place": "x", "word": "y", "password": ""}

        assert rig.run("delegate") == Delegated((SubTask("demo", input),), 5)

    def test_id_in_an_outside_service_is_told(self, rig: Rig) -> None:
        call = rig.start("name")
        rig.end_of(call)

        assert rig.reports == [(call.id, Progress(None, external_id="x-1")), (call.id, Success())]

    def test_output_that_is_no_json_is_an_error(self, rig: Rig) -> None:
        error = self.failure(rig, "odd")

        assert error.kind == "InvalidAction"
        assert "its output has the key 1, and keys must be text" in error.message

    def test_task_is_planned(self, rig: Rig) -> None:
        outcome = rig.run("plan", kind=CallKind.PLAN, word="x")

        assert isinstance(outcome, Planned)
        assert outcome.name == "Demo of x"

    # Errors

    def test_failure_says_what_and_why(self, rig: Rig) -> None:
        error = self.failure(rig, "fail", word="target")

        assert error.kind == ("exit" if self.executor == "command" else "ValueError")
        assert "no target" in error.message
        assert "no target" in error.traceback

    @pytest.mark.parametrize(
        ("step", "kind"), [("leave", "SystemExit"), ("interrupt", "KeyboardInterrupt")]
    )
    def test_exception_that_ends_programs_is_an_error(self, rig: Rig, step: str, kind: str) -> None:
        error = self.failure(rig, step)

        assert error.kind == kind
        assert rig.run("nothing") == Success(None)

    def test_process_that_dies_under_a_step_is_told(self, rig: Rig) -> None:
        assert rig.run("vanish") == Interrupted(
            "the process that ran it ended with status 3 before the step returned"
        )
        assert rig.run("nothing") == Success(None)

    def test_what_a_process_that_dies_has_started_is_dead(self, rig: Rig) -> None:
        outcome = rig.run("orphan")

        assert isinstance(outcome, Interrupted)
        assert gone(pid_in(rig.place))
        assert rig.run("nothing") == Success(None)

    # What a step says

    def test_what_a_step_prints_is_in_its_log(self, rig: Rig) -> None:
        call = rig.start("speak")
        rig.end_of(call)

        lines = rig.log_of(call)
        assert [line for line in lines if line.startswith("stdout")] == [
            "stdout to stdout", "stdout no end"
        ]  # fmt: skip
        assert [line for line in lines if line.startswith("stderr")] == ["stderr to stderr"]

    def test_command_of_a_step_prints_to_its_log(self, rig: Rig) -> None:
        call = rig.start("command")
        rig.end_of(call)

        assert sorted(rig.log_of(call)) == ["stderr oh no", "stdout from within"]

    def test_logs_of_calls_side_by_side_are_apart(self, rig: Rig) -> None:
        calls = [rig.start("speak") for _ in range(8)]
        for call in calls:
            rig.end_of(call)

        assert [len(rig.log_of(call)) for call in calls] == [3] * 8

    def test_progress_comes_before_the_outcome_and_its_last_word_is_told(self, rig: Rig) -> None:
        call = rig.start("advance")
        rig.end_of(call)

        said = [report for number, report in rig.reports if number == call.id]
        assert said[-2] == Progress(0.99, "99 of 100")
        assert isinstance(said[-1], Failure)
        assert all(isinstance(report, Progress) for report in said[:-1])

    def test_secret_is_neither_in_log_nor_output(self, rig: Rig) -> None:
        call = rig.start("whisper", password="hunter2", secrets=("hunter2",))
        outcome = rig.end_of(call)

        assert isinstance(outcome, Success)
        assert "is" in str(outcome.output)
        assert "hunter2" not in str(outcome)
        assert rig.log_of(call) == ["stdout it is •••"]

    def test_secret_is_in_no_error(self, rig: Rig) -> None:
        error = self.failure(rig, "betray", password="hunter2", secrets=("hunter2",))

        assert "wrong: " in error.message
        assert "hunter2" not in str(error)

    # Ending a step

    def test_cancelled_step_that_heeds_is_cancelled(self, rig: Rig) -> None:
        call = rig.start("heed")
        pid_in(rig.place)

        rig.cancel(call)

        assert rig.end_of(call) == Cancelled()

    def test_step_that_is_cancelled_at_once_does_not_run_on(self, rig: Rig) -> None:
        call = rig.start("heed", cancel_grace=600.0)

        rig.cancel(call)

        assert rig.end_of(call) in (Cancelled(), NeverRan())

    def test_cancelled_step_may_succeed_all_the_same(self, rig: Rig) -> None:
        call = rig.start("finish")
        pid_in(rig.place)

        rig.cancel(call)

        assert rig.end_of(call) == Success("done all the same")

    def test_step_that_does_not_heed_is_killed(self, rig: Rig) -> None:
        call = rig.start("ignore", cancel_grace=0.1)
        pid = pid_in(rig.place)

        rig.cancel(call)

        assert rig.end_of(call) == Cancelled()
        wait_for(lambda: gone(pid))

    def test_force_does_not_wait(self, rig: Rig) -> None:
        call = rig.start("ignore", cancel_grace=600.0)
        pid = pid_in(rig.place)

        rig.cancel(call, force=True)

        assert rig.end_of(call) == Cancelled()
        wait_for(lambda: gone(pid))

    def test_step_that_heeds_its_time_limit_is_an_error(self, rig: Rig) -> None:
        error = self.failure(rig, "heed", timeout=0.3)

        assert (error.kind, error.message) == ("timeout", "timed out after 0.3 s")
        assert error.detail == {"timeout": 0.3}

    def test_time_limit_may_be_over_before_a_step_begins(self, rig: Rig) -> None:
        assert self.failure(rig, "heed", timeout=0.001).kind == "timeout"

    def test_success_that_comes_late_is_an_error(self, rig: Rig) -> None:
        assert self.failure(rig, "finish", timeout=0.3).kind == "timeout"

    def test_step_that_does_not_heed_its_time_limit_is_killed(self, rig: Rig) -> None:
        error = self.failure(rig, "ignore", timeout=0.3, cancel_grace=0.1)

        assert error.kind == "timeout"
        wait_for(lambda: gone(pid_in(rig.place)))

    def test_what_has_ended_can_be_cancelled_and_settled_to_no_effect(self, rig: Rig) -> None:
        call = rig.start("nothing")
        rig.end_of(call)

        rig.cancel(call)
        rig.settle(call, call)
        rig.cancel(call, force=True)

        assert rig.run("nothing") == Success(None)
        assert rig.outcomes(call) == [Success(None)]

    # Several calls

    def test_calls_run_side_by_side(self, rig: Rig) -> None:
        place = rig.folder / "met"
        place.mkdir()

        calls = [rig.start("meet", place=str(place), word=word) for word in ("a", "b")]

        assert [rig.end_of(call) for call in calls] == [Success(None)] * 2

    def test_calls_run_in_the_order_in_which_they_were_given(self, narrow: Rig) -> None:
        calls = [narrow.start("note", word=str(number)) for number in range(20)]
        for call in calls:
            narrow.end_of(call)

        assert narrow.place.read_text().split() == [str(number) for number in range(20)]

    def test_call_given_while_another_runs_is_run_after_it(self, narrow: Rig) -> None:
        first = narrow.start("wait", word="first")
        wait_for(narrow.place.exists)
        second = narrow.start("note", word="second")

        Path(f"{narrow.place}.go").touch()

        assert narrow.end_of(first) == Success("done")
        assert narrow.end_of(second) == Success(None)
        assert narrow.place.read_text().split() == ["first", "second"]

    def test_call_that_waits_for_a_slot_is_given_back(self, narrow: Rig) -> None:
        first = narrow.start("wait", word="first")
        second = narrow.start("note", word="second")

        narrow.cancel(second)

        assert narrow.end_of(second) == NeverRan()
        Path(f"{narrow.place}.go").touch()
        assert narrow.end_of(first) == Success("done")
        assert narrow.place.read_text().split() == ["first"]

    def test_each_call_is_reported_once(self, rig: Rig) -> None:
        calls = [rig.start(step) for step in ("nothing", "fail", "speak", "advance", "note") * 4]
        for call in calls:
            rig.end_of(call)
            rig.cancel(call)
        rig.run("nothing")

        assert [len(rig.outcomes(call)) for call in calls] == [1] * len(calls)
