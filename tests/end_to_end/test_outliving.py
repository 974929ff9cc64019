"""Steps that outlive a killed daemon: what they do meanwhile, and what is known of it."""

import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from real_daemon import Daemon, eventually, gone

ACTIONS = """\
import os
import subprocess
import time
from pathlib import Path

from taskd import Action, on, step


def wait_for(file):
    while not Path(file).exists():
        time.sleep(0.01)


class Work(Action, label="work"):
    place: str

    @step
    def work(self) -> str:
        Path(self.place).touch()
        wait_for(self.place + ".go")
        self.task.progress(0.4, "told nobody")
        self.task.external_id = "build-7"
        Path(self.place + ".said").touch()
        wait_for(self.place + ".end")
        return "done"


class Leave(Action, label="leave"):
    place: str

    @step
    def work(self) -> None:
        line = 'echo $$ > "$0.part"; mv "$0.part" "$0"; exec sleep 600'
        subprocess.run(["setsid", "sh", "-c", line, self.place])


class Again(Action, label="again.host"):
    ledger: str

    @step(idempotent=True)
    def work(self) -> None:
        with open(self.ledger, "a") as file:
            file.write("begun\\n")
        time.sleep(600)


class Endless(Action, label="endless"):
    place: str

    @step
    def work(self) -> None:
        pass

    @on("stopped")
    def hang(self) -> None:
        Path(self.place).touch()
        wait_for(self.place + ".end")
"""
AGAIN = """\
label: again.shim
input: {ledger: str}
steps:
  work: {shell: 'echo begun >> "$ledger"; sleep 600', idempotent: true}
"""


@pytest.fixture
def place(daemon: Daemon) -> Path:
    """What a step makes when it has begun. With `.go` or `.end` behind it, it goes on or ends."""
    daemon.write_action("actions.py", ACTIONS)
    daemon.write_action("again.yaml", AGAIN)
    return daemon.root / "place"


def begin(daemon: Daemon, place: Path, *words: object) -> int:
    task_id = daemon.start_task(*words)
    eventually(place.exists)
    return task_id


def step_of(daemon: Daemon, task_id: int) -> Any:
    return next(step for step in daemon.show(task_id)["steps"] if step["kind"] == "run")


def told(daemon: Daemon, task_id: int) -> list[str]:
    """What was found of its step, says its history."""
    history = daemon.show(task_id)["history"]
    return [event["detail"] for event in history if event["event"] == "taken up again"]


def test_python_step_is_heard_that_speaks_while_no_daemon_runs(daemon: Daemon, place: Path) -> None:
    daemon.start()
    task_id = begin(daemon, place, "run", "work", f"place={place}")
    daemon.kill_9()

    Path(f"{place}.go").touch()
    eventually(Path(f"{place}.said").exists)
    daemon.start()

    eventually(lambda: step_of(daemon, task_id)["progress"] == 0.4)
    assert daemon.show(task_id)["external_id"] == "build-7"
    assert told(daemon, task_id) == ["work: still running"]
    Path(f"{place}.end").touch()
    assert daemon.wait(task_id) == 0


def test_python_step_is_heard_that_speaks_to_a_later_daemon(daemon: Daemon, place: Path) -> None:
    daemon.start()
    task_id = begin(daemon, place, "run", "work", f"place={place}")
    daemon.kill_9()
    daemon.start()

    Path(f"{place}.go").touch()

    eventually(lambda: step_of(daemon, task_id)["note"] == "told nobody")
    eventually(lambda: daemon.show(task_id)["external_id"] == "build-7")
    Path(f"{place}.end").touch()
    assert daemon.wait(task_id) == 0
    assert daemon.show(task_id)["output"] == "done"


@pytest.mark.parametrize("kind", ["python", "shell"])
def test_step_ended_when_it_did_not_when_the_next_daemon_came(
    daemon: Daemon, place: Path, kind: str
) -> None:
    daemon.start()
    line = f"touch {place}; until test -e {place}.end; do sleep 0.01; done"
    words = ["run", "work", f"place={place}"] if kind == "python" else ["exec", "--", line]
    task_id = begin(daemon, place, *words)
    daemon.kill_9()

    for what in ("go", "end"):
        Path(f"{place}.{what}").touch()
    eventually(lambda: not daemon.processes())
    ended_before = datetime.now(UTC)
    daemon.start()

    assert daemon.wait(task_id) == 0
    step = step_of(daemon, task_id)
    assert step["started_at"] < step["ended_at"]
    assert datetime.fromisoformat(step["ended_at"]) < ended_before
    assert told(daemon, task_id) == [f"{step['name']}: ended meanwhile"]
    assert "took up the steps of an earlier daemon: 1 ended meanwhile\n" in daemon.log()


@pytest.mark.parametrize("who", ["host", "shim"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_step_whose_supervisor_is_killed_leaves_nothing_that_goes_on(
    daemon: Daemon, place: Path, who: str, when: str
) -> None:
    """`when`: before the next daemon has come, or after it."""
    daemon.start()
    line = f"setsid sh -c 'echo $$ > {place}.part; mv {place}.part {place}; exec sleep 600'"
    words = ["run", "leave", f"place={place}"] if who == "host" else ["exec", "--", line]
    task_id = begin(daemon, place, *words)
    left = int(place.read_text())
    daemon.kill_9()

    if when == "after":
        daemon.start()
    kill_supervisor(daemon, who)
    if when == "before":
        daemon.start()

    assert daemon.wait(task_id) == 9
    assert gone(left)
    assert step_of(daemon, task_id)["error"]["kind"] == "interrupted"


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("who", ["host", "shim"])
def test_step_whose_supervisor_is_killed_each_time_is_poison(daemon: Daemon, who: str) -> None:
    daemon.start()
    task_id = daemon.start_action(f"again.{who}")

    for times in (1, 2, 3):
        eventually(lambda begun=times: daemon.ledger_lines() == ["begun"] * begun)
        kill_supervisor(daemon, who)
        if times == 2:
            daemon.kill_9()
            daemon.start()

    assert daemon.wait(task_id) == 9
    assert step_of(daemon, task_id)["error"]["message"].startswith("poison: interrupted 3 times")
    assert daemon.ledger_lines() == ["begun"] * 3
    assert daemon.taskctl("resume", task_id).returncode == 0
    eventually(lambda: daemon.ledger_lines() == ["begun"] * 4)


def test_hook_of_an_earlier_daemon_takes_no_slot_for_ever(daemon: Daemon, place: Path) -> None:
    daemon.configure(executor_slots=1, cancel_grace=0.1)
    daemon.start()
    begin(daemon, place, "run", "endless", f"place={place}")
    [host] = daemon.others()

    daemon.kill_9()
    daemon.start()

    eventually(lambda: gone(host))
    Path(f"{place}.end").touch()
    assert daemon.taskctl("exec", "--wait", "--", "true").returncode == 0


def kill_supervisor(daemon: Daemon, who: str) -> None:
    [pid] = [pid for pid in daemon.others() if f"executors.{who}" in command_of(pid)]
    os.kill(pid, signal.SIGKILL)


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()
