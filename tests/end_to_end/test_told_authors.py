"""What authors are told, and what they say of a task: hooks, descriptions, ids elsewhere."""

from real_daemon import Daemon, eventually

ACTIONS = """\
import os
from pathlib import Path

from taskd import Action, on, step
from taskd.model.task import Task


class Deploy(Action, label="deploy"):
    ledger: str
    gate: str

    def describe_input(self) -> str:
        return f"waits for {Path(self.gate).name}"

    def describe_output(self, task: Task) -> str:
        return f"deployed {task.steps['push'].output}"

    def describe_error(self, task: Task) -> str:
        return f"{task.errors[0].step} found no gate"

    @step
    def push(self) -> str:
        self.task.external_id = "build-7"
        return Path(self.gate).read_text()

    @on("paused", "success", "warning")
    def tell(self, task: Task) -> None:
        with open(self.ledger, "a") as file:
            file.write(f"{task.id}:{task.state}:{task.external_id}\\n")

    @on("stopped")
    def fail(self) -> None:
        raise RuntimeError("nobody minds")


class Crash(Action, label="crash"):
    ledger: str

    @step
    def work(self) -> None:
        pass

    @on("stopped")
    def crash(self) -> None:
        with open(self.ledger, "a") as file:
            file.write("called\\n")
        os._exit(3)
"""


def test_authors_are_told_and_say_what_they_think(running: Daemon) -> None:
    running.write_action("deploy.py", ACTIONS)
    gate = running.root / "gate"
    task_id = running.start_task("run", "deploy", f"ledger={running.ledger}", f"gate={gate}")
    assert running.wait(task_id) == 9
    eventually(lambda: running.ledger_lines() == ["1:paused:build-7"])
    said = eventually(lambda: running.show(task_id)["descriptions"].get("error") and running.show(
        task_id)["descriptions"])  # fmt: skip
    assert said == {"input": "waits for gate", "error": "push found no gate"}
    shown = running.taskctl("show", task_id).stdout
    assert "push found no gate" in shown
    assert "build-7" in shown

    gate.write_text("v3")
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 0
    eventually(lambda: len(running.ledger_lines()) == 2)
    assert running.ledger_lines()[1] == "1:stopped:build-7"
    eventually(lambda: running.show(task_id)["descriptions"].get("output") == "deployed v3")
    assert running.show(task_id)["result"] == "warning"
    eventually(lambda: "hook fail of task 1 failed: RuntimeError: nobody minds" in running.log())


def test_hook_that_ends_its_process_is_not_called_for_ever(running: Daemon) -> None:
    running.write_action("crash.py", ACTIONS)
    assert running.taskctl("run", "crash", f"ledger={running.ledger}", "--wait").returncode == 0
    eventually(lambda: "hook crash of task 1 was interrupted" in running.log())

    assert running.taskctl("exec", "--wait", "--", "true").returncode == 0

    assert running.ledger_lines() == ["called"]


def test_hook_survives_a_crash_of_the_daemon(running: Daemon) -> None:
    running.write_action("deploy.py", ACTIONS)
    for number in range(20):
        running.start_task(
            "run", "deploy", f"ledger={running.ledger}", f"gate={running.root}/{number}"
        )

    running.kill_9()
    running.start()

    told = eventually(lambda: len(set(running.ledger_lines())) >= 20 and running.ledger_lines())
    assert {line.partition(":")[0] for line in told} == {str(n) for n in range(1, 21)}
