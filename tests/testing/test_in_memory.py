"""What becomes of tasks in memory is what a daemon makes of them."""

import gc
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from taskd import (
    Action,
    Lock,
    Rescue,
    Retry,
    Secret,
    Snooze,
    SubTasks,
    action,
    concurrence,
    exclusive,
    request,
    sequence,
    step,
)
from taskd.model.errors import InvalidState
from taskd.model.task import Flow
from taskd.testing import FlakyCommand, Inline

said: list[str] = []
broken: set[str] = set()  # words that cannot be said


def say(word: str) -> str:
    said.append(word)
    if word in broken:
        raise RuntimeError(f"cannot say {word}")
    return word


@pytest.fixture
def engine() -> Inline:
    said.clear()
    broken.clear()
    return Inline()


# Steps


class Branches(Action):
    quick: bool = False

    def plan(self) -> Flow:
        both = concurrence(self.left, self.right)
        return sequence(self.fetch, self.left if self.quick else both)

    @step
    def fetch(self) -> str:
        return say("fetch")

    @step
    def left(self, fetch: str) -> str:
        return fetch + say("left")

    @step
    def right(self, fetch: str) -> str:
        return fetch + say("right")

    def finalize(self) -> list[str]:
        return list(said)


def test_failed_branch_does_not_stop_the_other_and_finalize_comes_last(engine: Inline) -> None:
    broken.add("left")
    paused = engine.run(Branches())
    broken.clear()

    done = engine.resume(paused)

    before = {name: str(step.state) for name, step in paused.steps.items()}
    assert before == {
        "plan": "success", "fetch": "success", "left": "error", "right": "success",
        "finalize": "pending",
    }  # fmt: skip
    assert (done.result, done.progress) == ("warning", 1.0)
    assert done.output == ["fetch", "left", "right", "left"]


def test_plan_chooses_the_steps(engine: Inline) -> None:
    assert list(engine.run(Branches(quick=True)).steps) == ["plan", "fetch", "left", "finalize"]


class Careless(Action, rescue=Rescue.SKIP):
    @step
    def first(self) -> str:
        return say("first")

    @step
    def second(self, first: str) -> str:
        return say(first + " second")

    @step(rescue=Rescue.FAIL)
    def third(self) -> str:
        return say("third")


@pytest.mark.parametrize(
    ("wrong", "result", "states"),
    [
        ("first", "warning", ["skipped", "skipped", "success"]),
        ("third", "error", ["success", "success", "error"]),
    ],
)
def test_rescue_decides_what_becomes_of_the_task(
    engine: Inline, wrong: str, result: str, states: list[str]
) -> None:
    broken.add(wrong)

    task = engine.run(Careless())

    assert (task.state, task.result) == ("stopped", result)
    assert [step.state for step in task.steps.values()][1:] == states


def test_task_goes_on_without_the_step_that_is_skipped(engine: Inline) -> None:
    broken.update(("left", "right"))
    paused = engine.run(Branches())

    half = engine.skip(paused, "left")
    done = engine.skip(half)

    assert [each.steps["left"].state for each in (paused, half)] == ["error", "skipped"]
    assert (half.state, done.state, done.result) == ("paused", "stopped", "warning")
    with pytest.raises(InvalidState, match="it is stopped"):
        engine.skip(done)


class Changing(Action):
    items: list[int]
    MADE: ClassVar[list[int]] = []

    @step
    def make(self) -> Any:
        self.items.append(4)
        self.MADE[:] = self.items
        return (1, self.MADE)

    @step
    def change(self, make: list[Any]) -> list[Any]:
        self.MADE.clear()
        make[1].clear()
        return make

    @step
    def look(self, make: list[Any]) -> list[Any]:
        return [make, self.items]


def test_steps_have_what_was_stored_and_cannot_change_it(engine: Inline) -> None:
    task = engine.run(Changing(items=[3]))

    assert task.steps["change"].output == [1, []]
    assert task.output == [[1, [3, 4]], [3]]
    assert task.input == {"items": [3]}


@action()
def give(what: str) -> Any:
    return threading.Lock() if what == "a lock" else {1: "one"}


@pytest.mark.parametrize(
    ("what", "told"), [("a lock", "is of type lock"), ("a number", "has the key 1")]
)
def test_output_that_is_no_json_is_an_error(engine: Inline, what: str, told: str) -> None:
    (error,) = engine.run(give, what=what).errors

    assert f"step 'give' returned what is no JSON: its output {told}" in error.message


class Leaving(Action):
    @step
    def leave(self) -> None:
        self.task.progress(0.5, "half")
        self.task.external_id = "job-17"
        raise SystemExit("enough")


def test_whatever_a_step_raises_is_its_error(engine: Inline) -> None:
    paused = engine.run(Leaving())

    (error,), leave = paused.errors, paused.steps["leave"]
    assert (error.kind, error.message) == ("SystemExit", "enough")
    assert "in leave" in error.traceback
    assert (leave.progress, leave.note, paused.external_id) == (0.5, "half", "job-17")


def test_what_steps_print_is_in_the_logs(engine: Inline) -> None:
    class Speaking(Action):
        @step
        def speak(self) -> None:
            print("about to")
            self.task.run(["echo", "done"])

    task = engine.run(Speaking())

    assert [(line.step, line.text) for line in engine.logs(task)] == [
        ("speak", "about to"),
        ("speak", "done"),
    ]


# Time


class Unsteady(Action):
    @step(retry=Retry(2, delay=60, factor=2))
    def work(self) -> str:
        return say(f"try {self.task.attempt}")


def test_delays_of_retries_pass_by_themselves(engine: Inline) -> None:
    broken.update(("try 1", "try 2"))
    begin = engine.now

    task = engine.run(Unsteady())

    assert (task.output, task.result) == ("try 3", "success")
    assert (engine.now - begin).total_seconds() == 60 + 120


@pytest.mark.usefixtures("engine")
def test_retries_wait_for_the_test_if_told_to() -> None:
    engine = Inline(retries_wait=True)
    broken.update(("try 1", "try 2"))
    waiting = engine.run(Unsteady())

    engine.advance(59.999)
    before = list(said)
    engine.advance("1ms")
    after = list(said)
    engine.advance("1h")

    assert (waiting.state, waiting.steps["work"].state) == ("running", "pending")
    assert (before, after) == (["try 1"], ["try 1", "try 2"])
    assert engine.get(waiting).output == "try 3"


class Poll(Action):
    @step(timeout="1h")
    def wait(self) -> str | Snooze:
        count = (self.task.kept or 0) + 1
        say(f"look {count}")
        return "here" if count == 4 and "look 5" in broken else Snooze("10m", keep=count)


def test_polling_step_is_called_again_as_time_passes(engine: Inline) -> None:
    broken.add("look 5")
    task = engine.run(Poll())
    engine.advance("29m")
    waiting = engine.get(task)
    engine.advance(60)

    done = engine.get(task)

    assert waiting.steps["wait"].state == "suspended"
    assert (done.state, done.output, done.duration) == ("stopped", "here", 1800)
    assert said == ["look 1", "look 2", "look 3", "look 4"]


def test_polling_step_has_no_more_time_than_its_timeout(engine: Inline) -> None:
    task = engine.run(Poll())

    engine.advance("2h")

    (error,) = engine.get(task).errors
    assert (error.kind, error.message) == ("timeout", "timed out after 3600 s")
    assert len(said) == 6


def test_polling_step_goes_on_with_what_it_kept_when_it_is_resumed(engine: Inline) -> None:
    broken.add("look 2")
    task = engine.run(Poll())
    engine.advance("1h")
    paused = engine.get(task)
    broken.clear()

    engine.resume(paused)

    assert paused.state == "paused"
    assert said == ["look 1", "look 2", "look 2"]


def test_snoozing_task_is_cancelled_at_once(engine: Inline) -> None:
    cancelled = engine.cancel(engine.run(Poll()))
    engine.advance("1h")

    assert (cancelled.state, cancelled.result) == ("stopped", "cancelled")
    assert said == ["look 1"]
    with pytest.raises(InvalidState, match="it is stopped"):
        engine.resume(cancelled)


# Sub-tasks


class Parent(Action):
    @step
    def split(self) -> SubTasks:
        return SubTasks([Child(name="a"), request(brief, word="b"), Child(name="c")])

    @step
    def count(self, split: dict[str, Any]) -> str:
        return f"{split['success']} of {split['total']}"


class Child(Action):
    name: str

    @step
    def work(self) -> str:
        return say(self.name)


@action(rescue=Rescue.FAIL)
def brief(word: str) -> str:
    return say(word)


def test_failed_sub_tasks_are_run_again_when_their_parent_is_resumed(engine: Inline) -> None:
    broken.update("bc")
    paused = engine.run(Parent())
    before = [(child.state, child.result) for child in engine.children(paused)]
    broken.clear()

    done = engine.resume(paused)

    assert before == [("stopped", "success"), ("stopped", "error"), ("paused", "error")]
    assert paused.errors[0].message == "1 of 3 sub-tasks is paused: 4 (paused); taskctl show 4"
    assert (done.result, done.output) == ("warning", "2 of 3")
    assert said == ["a", "b", "c", "c", "b"]
    assert [task.id for task in engine.tasks] == [1, 2, 3, 4, 5]


# Locks, secrets, cancelling


class Locked(Action):
    name: str

    def locks(self) -> Iterable[Lock]:
        yield exclusive("site:blog")

    @step
    def work(self) -> str:
        return say(self.name)


def test_paused_task_keeps_its_lock_from_another(engine: Inline) -> None:
    broken.add("first")
    first = engine.run(Locked(name="first"))
    second = engine.run(Locked(name="second"))
    broken.clear()
    engine.resume(first)

    done = engine.resume(second)

    assert "site:blog is locked by task 1 (Locked), paused since" in second.errors[0].message
    assert (done.result, said) == ("warning", ["first", "first", "second"])


class Login(Action):
    password: Secret[str]

    @step
    def use(self) -> str:
        return f"with {say(self.password)}"


def test_secret_reaches_the_step_and_nothing_else(engine: Inline) -> None:
    broken.add("hunter2")
    paused = engine.run(Login(password="hunter2"))
    broken.clear()

    done = engine.resume(paused)

    assert said == ["hunter2", "hunter2"]
    assert done.output == "with …"
    assert "hunter2" not in repr(paused) + repr(done)


@pytest.mark.parametrize(("heeds", "state"), [(True, "cancelled"), (False, "success")])
def test_step_is_told_that_its_task_is_cancelled(engine: Inline, heeds: bool, state: str) -> None:
    class Patient(Action):
        @step
        def work(self) -> None:
            engine.cancel(self.task.id)
            if self.task.cancelled and heeds:
                raise InterruptedError("told to end")

        @step
        def never(self) -> None:
            say("never")

    task = engine.run(Patient())

    assert (task.state, task.result, task.steps["work"].state) == ("stopped", "cancelled", state)
    assert (task.errors, said) == ((), [])


# YAML

YAML = """\
label: yaml.site
input: {site: str, key: secret}
steps:
  save: {shell: 'echo "key $key"; rclone copy "$site" && echo "$site.tar"', retry: 1}
  tell: {action: test_in_memory.brief, input: {word: "{save}"}}
"""


def test_yaml_file_is_run_with_real_commands(engine: Inline, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(YAML)

    with FlakyCommand("rclone", error="no such remote") as rclone:
        task = engine.run(tmp_path / "site.yaml", site="blog; exit 1", key="s3cret")

    assert (task.result, said) == ("success", ["blog; exit 1.tar"])
    assert rclone.calls == [["copy", "blog; exit 1"]] * 2
    assert [line.text for line in engine.logs(task)] == [
        "key •••", "no such remote", "key •••", "blog; exit 1.tar",
    ]  # fmt: skip


def test_yaml_file_that_is_handed_over_is_known_by_its_label(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(YAML)

    with FlakyCommand("rclone", times=2, status=3):
        paused = Inline(tmp_path / "site.yaml").run("yaml.site", site="x", key="y")

    assert (paused.errors[0].kind, paused.errors[0].detail) == ("exit", {"status": 3})


# The engine itself


def test_engines_know_nothing_of_each_other(engine: Inline) -> None:
    engine.run(brief, word="a")

    assert Inline().tasks == []


def test_nothing_is_left_of_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine = Inline()
    engine.run(Login(password="x"))
    before = list(tmp_path.iterdir())

    del engine
    gc.collect()

    assert before
    assert list(tmp_path.iterdir()) == []
