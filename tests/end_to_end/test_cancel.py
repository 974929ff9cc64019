"""A cancelled task ends, with everything that it has started."""

import time
from pathlib import Path

from real_daemon import Daemon, eventually, gone

STUBBORN = """\
import os, signal, sys, time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open(sys.argv[1] + ".part", "w") as file:
            file.write(str(os.getpid()))
        os.rename(sys.argv[1] + ".part", sys.argv[1])
        time.sleep(600)
    os._exit(0)
os.wait()
time.sleep(600)
"""

PATIENT = """\
import subprocess
import time
from pathlib import Path

from taskd import Action, step


class Patient(Action, label="patient"):
    ledger: str

    @step
    def work(self) -> str:
        Path(self.ledger).write_text("begun")
        while not self.task.cancelled:
            time.sleep(0.01)
        Path(self.ledger).write_text("told")
        raise RuntimeError("stopped as it was told")

    @step
    def never(self, work: str) -> None:
        Path(self.ledger).write_text("never")


class Deaf(Action, label="deaf"):
    ledger: str

    @step
    def work(self) -> None:
        child = subprocess.Popen(["setsid", "sh", "-c", "trap '' TERM; sleep 600 & wait; wait"])
        Path(self.ledger).write_text(str(child.pid))
        while True:
            time.sleep(1)


class Fixed(Action, label="fixed", cancellable=False):
    ledger: str

    @step
    def work(self) -> None:
        Path(self.ledger).write_text("begun")
        time.sleep(600)
"""


def test_cancelled_command_takes_a_hidden_grandchild_with_it(daemon: Daemon) -> None:
    daemon.configure(cancel_grace="1s")
    daemon.start()
    script, note = daemon.root / "stubborn.py", daemon.root / "note"
    script.write_text(STUBBORN)
    task_id = daemon.start_task("exec", "--", "python3", script, note)
    grandchild = int(eventually(lambda: read(note)))

    cancelled = daemon.taskctl("cancel", task_id)

    assert cancelled.returncode == 0
    assert not gone(grandchild)  # it has its grace
    assert daemon.wait(task_id) == 10
    assert gone(grandchild)
    task = daemon.show(task_id)
    assert (task["state"], task["result"]) == ("stopped", "cancelled")
    assert [step["state"] for step in task["steps"] if step["kind"] == "run"] == ["cancelled"]


def test_forced_cancel_does_not_wait_for_the_grace(running: Daemon) -> None:
    script, note = running.root / "stubborn.py", running.root / "note"
    script.write_text(STUBBORN)
    task_id = running.start_task("exec", "--", "python3", script, note)
    grandchild = int(eventually(lambda: read(note)))
    before = time.monotonic()

    running.taskctl("cancel", "--force", task_id)

    assert running.wait(task_id) == 10
    assert time.monotonic() - before < 5  # the grace is 10 s
    assert gone(grandchild)


def test_force_cuts_short_a_grace_that_has_begun(running: Daemon) -> None:
    script, note = running.root / "stubborn.py", running.root / "note"
    script.write_text(STUBBORN)
    task_id = running.start_task("exec", "--", "python3", script, note)
    eventually(lambda: read(note))
    before = time.monotonic()

    first = running.taskctl("cancel", task_id)
    shown = running.taskctl("show", task_id)
    second = running.taskctl("cancel", "--force", task_id)

    assert (first.returncode, second.returncode) == (0, 0)
    assert "running, being cancelled\n" in shown.stdout
    assert running.wait(task_id) == 10
    assert time.monotonic() - before < 5


def test_python_step_sees_that_it_is_cancelled(running: Daemon) -> None:
    running.write_action("patient.py", PATIENT)
    task_id = running.start_action("patient")
    eventually(lambda: read(running.ledger) == "begun")

    running.taskctl("cancel", task_id)

    assert running.wait(task_id) == 10
    assert read(running.ledger) == "told"
    states = [(s["name"], s["state"]) for s in running.show(task_id)["steps"]]
    assert states == [("plan", "success"), ("work", "cancelled"), ("never", "cancelled")]


def test_deaf_python_step_is_killed_with_what_it_started(daemon: Daemon) -> None:
    daemon.configure(cancel_grace="1s")
    daemon.write_action("patient.py", PATIENT)
    daemon.start()
    task_id = daemon.start_action("deaf")
    child = int(eventually(lambda: read(daemon.ledger)))

    daemon.taskctl("cancel", task_id)

    assert daemon.wait(task_id) == 10
    assert gone(child)
    eventually(lambda: not daemon.others())


def test_step_that_outlived_a_daemon_is_cancelled_by_the_next(daemon: Daemon) -> None:
    daemon.configure(cancel_grace="1s")
    daemon.write_action("patient.py", PATIENT)
    daemon.start()
    script, note = daemon.root / "stubborn.py", daemon.root / "note"
    script.write_text(STUBBORN)
    command = daemon.start_task("exec", "--", "python3", script, note)
    step = daemon.start_action("deaf")
    child, grandchild = (
        int(eventually(lambda: read(daemon.ledger))),
        int(eventually(lambda: read(note))),
    )
    daemon.kill_9()
    daemon.start()

    cancelled = daemon.taskctl("cancel", command, step)

    assert cancelled.returncode == 0
    assert daemon.wait(command, step) == 10
    assert gone(child)
    assert gone(grandchild)


def test_tasks_that_do_not_run_are_cancelled_at_once(daemon: Daemon) -> None:
    daemon.configure(executor_slots=1)
    daemon.start()
    busy = daemon.start_task("exec", "--", "sleep", "600")
    planned = daemon.start_task("exec", "--", "true")
    assert daemon.show(planned)["state"] == "planned"

    cancelled = daemon.json("cancel", planned)

    assert cancelled == {"done": [planned], "skipped": [], "failed": []}
    task = daemon.show(planned)
    assert (task["state"], task["result"]) == ("stopped", "cancelled")
    assert daemon.show(busy)["state"] == "running"


def test_cancelled_paused_task_gives_its_lock_back(running: Daemon) -> None:
    task_id = running.start_task("exec", "--lock", "site:blog", "--", "false")
    assert running.wait(task_id) == 9
    assert len(running.json("locks")["items"]) == 1

    running.taskctl("cancel", task_id)

    assert running.wait(task_id) == 10
    assert running.json("locks")["items"] == []


def test_stopped_task_cannot_be_cancelled(running: Daemon) -> None:
    task_id = running.start_task("exec", "--", "true")
    assert running.wait(task_id) == 0

    cancelled = running.taskctl("cancel", task_id)

    assert cancelled.returncode == 5
    assert f"cannot cancel task {task_id}: it is stopped" in cancelled.stderr
    assert running.show(task_id)["result"] == "success"


def test_task_that_must_not_be_cancelled_goes_on(running: Daemon) -> None:
    running.write_action("patient.py", PATIENT)
    task_id = running.start_action("fixed")
    eventually(lambda: read(running.ledger) == "begun")

    cancelled = running.taskctl("cancel", task_id)

    assert cancelled.returncode == 5
    assert running.show(task_id)["state"] == "running"


def read(file: Path) -> str:
    return file.read_text() if file.exists() else ""
