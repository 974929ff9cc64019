"""Plans of authors: side by side, left out, finalize; what fails in them pauses, others go on."""

from real_daemon import Daemon, eventually

SHIP = """\
from pathlib import Path

from taskd import Action, Rescue, concurrence, sequence, step


class Ship(Action, label="ship"):
    ledger: str
    gate: str
    copies: bool = True
    end: str = ""

    def title(self) -> str:
        return f"Ship to {Path(self.gate).name}"

    def plan(self):
        sides = [self.left, self.right] if self.copies else [self.left]
        return sequence(self.pack, concurrence(*sides), self.report)

    @step
    def pack(self) -> str:
        return self.note("pack")

    @step
    def left(self, pack: str) -> str:
        Path(self.gate).read_text()
        return self.note("left")

    @step(rescue=Rescue.SKIP)
    def right(self) -> str:
        return self.note("right")

    @step
    def report(self, left: str) -> str:
        return self.note("report")

    def finalize(self) -> str:
        if self.end:
            Path(self.end).read_text()
        return self.note("finalize")

    def note(self, name: str) -> str:
        with open(self.ledger, "a") as file:
            file.write(name + "\\n")
        return name


class Choosy(Action, label="choosy"):
    file: str

    def plan(self):
        return sequence(*[getattr(self, name) for name in Path(self.file).read_text().split()])

    @step
    def one(self) -> int:
        return 1

    @step
    def two(self, one: int) -> int:
        return 2
"""


def test_siblings_of_a_failed_branch_go_on_and_its_followers_wait(running: Daemon) -> None:
    running.write_action("ship.py", SHIP)
    gate = running.root / "gate"
    task_id = running.start_task("run", "ship", f"ledger={running.ledger}", f"gate={gate}")
    assert running.wait(task_id) == 9
    assert running.ledger_lines() == ["pack", "right"]
    assert running.show(task_id)["name"] == "Ship to gate"

    gate.touch()
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 0
    assert running.ledger_lines() == ["pack", "right", "left", "report", "finalize"]
    task = running.show(task_id)
    assert (task["result"], task["output"], task["progress"]) == ("warning", "finalize", 1)


def test_plan_may_leave_steps_out(running: Daemon) -> None:
    running.write_action("ship.py", SHIP)
    running.root.joinpath("gate").touch()
    ended = running.taskctl(
        "run", "ship", f"ledger={running.ledger}", f"gate={running.root}/gate", "copies=false",
        "--wait",
    )  # fmt: skip

    assert ended.returncode == 0
    names = [step["name"] for step in running.show("@last")["steps"]]
    assert names == ["plan", "pack", "left", "report", "finalize"]


def test_failed_finalize_is_all_that_runs_again(running: Daemon) -> None:
    running.write_action("ship.py", SHIP)
    gate, end = running.root / "gate", running.root / "end"
    gate.touch()
    task_id = running.start_task(
        "run", "ship", f"ledger={running.ledger}", f"gate={gate}", f"end={end}"
    )
    assert running.wait(task_id) == 9
    before = running.ledger_lines()

    end.touch()
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 0
    assert running.ledger_lines() == [*before, "finalize"]


def test_failed_plan_is_planned_again_with_the_code_as_it_is_then(running: Daemon) -> None:
    running.write_action("choosy.py", "from pathlib import Path\n" + SHIP)
    chosen = running.root / "chosen"
    task_id = running.start_task("run", "choosy", f"file={chosen}")
    assert running.wait(task_id) == 9
    error = running.show(task_id)["errors"][0]
    assert (error["step"], error["kind"]) == ("plan", "FileNotFoundError")

    chosen.write_text("two")
    running.taskctl("resume", task_id)
    assert running.wait(task_id) == 9
    message = running.show(task_id)["errors"][0]["message"]
    assert "plan() does not run 'one' before 'two', which needs its output" in message

    chosen.write_text("one two")
    running.taskctl("resume", task_id)
    assert running.wait(task_id) == 0
    assert eventually(lambda: running.show(task_id)["output"]) == 2
