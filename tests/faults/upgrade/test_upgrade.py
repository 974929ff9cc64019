"""Another version is installed and started while steps run that the one before has begun."""

from pathlib import Path

import pytest
from another_version import VERSION, AnotherVersion
from real_daemon import Daemon, eventually, gone

ACTIONS = """\
import subprocess
import time
from pathlib import Path

import taskd
from taskd import Action, SubTasks, Snooze, request, step


def note(place, text):
    with open(place, "a") as file:
        file.write(f"{text}\\n")


class Where(Action, label="where"):
    @step
    def work(self) -> str:
        return taskd.__file__


class Work(Action, label="work"):
    place: str

    @step
    def work(self) -> str:
        note(self.place, "work")
        while not Path(self.place + ".go").exists():
            time.sleep(0.01)
        from taskd import Lock
        from taskd.client import Client

        self.task.run(["true"])
        return f"{Client.__name__} {Lock.__name__}"


class Poll(Action, label="poll"):
    place: str

    @step
    def work(self) -> Snooze | None:
        if not self.task.kept:
            note(self.place, "poll")
        return None if Path(self.place + ".go").exists() else Snooze(0.2, keep=True)


class Parent(Action, label="parent"):
    place: str

    @step
    def work(self) -> SubTasks:
        return SubTasks([request(Work, place=self.place)])


class Hold(Action, label="hold"):
    ledger: str

    @step(timeout=600)
    def work(self) -> None:
        line = 'echo $$ >> "$0"; exec sleep 600'
        subprocess.run(["setsid", "sh", "-c", line, self.ledger])


class Late(Hold, label="late"):
    @step(timeout=3)
    def work(self) -> None:
        super().work()
"""
THREAD = """\
import time

from taskd import Action, step


class Thread(Action, label="thread", isolation="thread"):
    ledger: str

    @step
    def work(self) -> None:
        with open(self.ledger, "a") as file:
            file.write("thread\\n")
        time.sleep(600)
"""


@pytest.fixture
def other(daemon: Daemon) -> AnotherVersion:
    daemon.write_action("actions.py", ACTIONS)
    daemon.write_action("thread.py", THREAD)
    return AnotherVersion(daemon.root / "another")


def start(daemon: Daemon, version: AnotherVersion | None = None) -> None:
    """That version, or the one at hand."""
    daemon.environment["PYTHONPATH"] = str(version.folder) if version else ""
    daemon.start()


def end(daemon: Daemon, how: str) -> None:
    daemon.kill_9() if how == "kill -9" else daemon.taskd("stop")


def output(daemon: Daemon, *words: object) -> str:
    task_id = daemon.start_task("run", *words)
    assert daemon.wait(task_id) == 0
    return str(daemon.show(task_id)["output"])


@pytest.mark.parametrize(
    ("how", "then"),
    [("kill -9", "replace"), pytest.param("stop", "remove", marks=pytest.mark.long)],
)
def test_new_version_takes_up_what_the_old_one_has_begun(
    daemon: Daemon, other: AnotherVersion, how: str, then: str
) -> None:
    daemon.configure(executor_slots=6, cancel_grace=0.2)
    start(daemon, other)
    assert output(daemon, "where").startswith(str(other.folder))
    place = f"place={daemon.ledger}"
    line = f"echo shell >> {daemon.ledger}; until test -e {daemon.ledger}.go; do sleep 0.01; done"
    begun = [daemon.start_task("run", label, place) for label in ("work", "poll", "parent")]
    begun.append(daemon.start_task("exec", "--", line))
    thread = daemon.start_action("thread")
    eventually(lambda: sorted(daemon.ledger_lines()) == ["poll", "shell", "thread", "work", "work"])

    end(daemon, how)
    other.remove() if then == "remove" else other.replace()
    start(daemon)
    Path(f"{daemon.ledger}.go").touch()

    assert daemon.wait(*begun) == 0
    assert sorted(daemon.ledger_lines()) == ["poll", "shell", "thread", "work", "work"]
    steps = [step for task_id in begun for step in daemon.show(task_id)["steps"]]
    assert {step["attempts"] for step in steps} == {1}
    assert daemon.show(begun[0])["output"] == "Client Lock"
    assert daemon.wait(thread) == 9  # it was in the old daemon itself
    assert not output(daemon, "where").startswith(str(other.folder))
    daemon.taskd("stop")
    eventually(lambda: not daemon.processes())


def test_what_the_old_version_has_begun_can_be_ended_by_the_new_one(
    daemon: Daemon, other: AnotherVersion
) -> None:
    daemon.configure(executor_slots=6, cancel_grace=0.2, allow_dangerous_actions=True)
    start(daemon, other)
    line = f"setsid sh -c 'echo $$ >> {daemon.ledger}; exec sleep 600'"
    held = [daemon.start_action("hold"), daemon.start_task("exec", "--", line)]
    cancelled = [daemon.start_action("hold"), daemon.start_task("exec", "--", line)]
    late = [daemon.start_action("late"), daemon.start_task("exec", "--time-limit", 3, "--", line)]
    pids = eventually(lambda: (found := daemon.ledger_lines()) and len(found) == 6 and found)

    end(daemon, "kill -9")
    other.remove()
    start(daemon)
    daemon.taskctl("unlock", "--force", "--yes", *held)
    daemon.taskctl("cancel", *cancelled)

    assert [daemon.wait(task_id) for task_id in [*held, *cancelled, *late]] == [8, 8, 10, 10, 9, 9]
    assert all(gone(int(pid)) for pid in pids)
    errors = [daemon.show(task_id)["errors"][0]["kind"] for task_id in [*held, *late]]
    assert errors == ["unlocked", "unlocked", "timeout", "timeout"]


def test_store_is_migrated_while_steps_run(daemon: Daemon, other: AnotherVersion) -> None:
    other.change("taskd/store/migrations.py", "    add_origin,\n)", "    add_origin,\n    more,\n)")
    other.change(
        "taskd/store/migrations.py",
        "MIGRATIONS: tuple",
        "def more(database: Database) -> None:\n"
        '    database.execute("CREATE TABLE more (one)")\n\n\n'
        "MIGRATIONS: tuple",
    )
    start(daemon)
    place = f"place={daemon.ledger}"
    begun = [daemon.start_task("run", label, place) for label in ("work", "poll")]
    eventually(lambda: sorted(daemon.ledger_lines()) == ["poll", "work"])

    end(daemon, "kill -9")
    start(daemon, other)
    Path(f"{daemon.ledger}.go").touch()

    assert daemon.wait(*begun) == 0
    assert [*daemon.state.glob("taskd.db.schema-*")]
    assert daemon.show(begun[0])["steps"][-1]["attempts"] == 1
    daemon.taskd("stop")
    daemon.environment["PYTHONPATH"] = ""
    back = daemon.taskd("start")
    assert (back.returncode, "newer" in back.stderr) == (78, True)


def test_daemon_that_is_not_restarted_works_with_newer_files(
    daemon: Daemon, other: AnotherVersion
) -> None:
    start(daemon, other)

    isolation = "isolation: Isolation = Isolation.PROCESS  # of a step that is no command\n"
    other.change("taskd/executors/base.py", isolation, isolation + "    newer: int = 0\n")
    other.change(
        "taskd/executors/shim.py",
        "    grace: float,\n)",
        "    grace: float,\n    newer: int = 0,\n)",
    )

    assert output(daemon, "where").startswith(str(other.folder))
    assert daemon.taskctl("exec", "--wait", "--", "true").returncode == 0


@pytest.mark.parametrize("last", [False, pytest.param(True, marks=pytest.mark.long)])
def test_step_waits_a_while_for_files_that_are_being_replaced(
    daemon: Daemon, other: AnotherVersion, last: bool
) -> None:
    start(daemon, other)
    good, broken = "import contextlib\n", "import contextlib, no_such_module\n"

    other.change("taskd/executors/host.py", good, broken)
    task_id = daemon.start_task("run", "where")
    eventually(lambda: "no step can be started now" in daemon.log())
    if not last:
        other.change("taskd/executors/host.py", broken, good)

    assert daemon.wait(task_id) == (9 if last else 0)
    assert [error["kind"] for error in daemon.show(task_id)["errors"]] == ["start"] * last


def test_client_and_daemon_of_other_protocols_say_so(daemon: Daemon, other: AnotherVersion) -> None:
    other.change("taskd/wire.py", "PROTOCOL = 1\n", "PROTOCOL = 2\n")
    start(daemon, other)

    daemon.environment["PYTHONPATH"] = ""
    refused = daemon.taskctl("list")
    restarted = daemon.taskd("restart")

    assert refused.returncode == 1
    assert "this daemon speaks protocol 2, not 1" in refused.stderr
    assert "taskd restart" in refused.stderr
    assert (restarted.returncode, restarted.stderr) == (0, "")
    assert VERSION not in daemon.taskd("status").stdout
    assert daemon.task_count() == 0
