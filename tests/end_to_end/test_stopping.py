"""Whatever ends or freezes a daemon: steps go on, and what becomes of them is recorded once."""

import os
import signal
import time
from pathlib import Path

import pytest
from real_daemon import PATIENCE, Daemon, eventually, gone

from taskd.client import Client

ACTIONS = """\
import time
from pathlib import Path

from taskd import Action, step


class Work(Action, label="work"):
    ledger: str

    @step(timeout=4)
    def work(self) -> None:
        with open(self.ledger, "a") as file:
            file.write("work\\n")
        while not Path(self.ledger + ".go").exists():
            time.sleep(0.01)


class Patient(Work, label="patient"):
    @step
    def work(self) -> None:
        super().work()
"""


@pytest.fixture
def daemon(daemon: Daemon) -> Daemon:
    daemon.write_action("work.py", ACTIONS)
    return daemon


def begin(daemon: Daemon) -> list[int]:
    """Two steps that run until they are let go: a Python step, and a command that fails then."""
    wait = f"until test -e {daemon.ledger}.go; do sleep 0.01; done"
    line = f"echo command >> {daemon.ledger}; {wait}; exit 3"
    with Client(daemon.socket) as client:
        python = client.start("patient", {"ledger": str(daemon.ledger)})
        command = client.exec(line, cwd="/", environment={"PATH": os.environ["PATH"]})
    eventually(lambda: len(daemon.ledger_lines()) == 2)
    return [python.id, command.id]


def let_go(daemon: Daemon) -> None:
    Path(f"{daemon.ledger}.go").touch()


def check_ended_once(daemon: Daemon, begun: list[int]) -> None:
    with Client(daemon.socket) as client:
        results = [client.wait(task_id, timeout=PATIENCE).result for task_id in begun]
        [error] = client.get(begun[1]).errors
    assert results == ["success", "error"]
    assert error.detail == {"status": 3}
    assert sorted(daemon.ledger_lines()) == ["command", "work"]


def send(daemon: Daemon, number: int) -> None:
    os.kill(daemon.pid, number)


def quit_it(daemon: Daemon) -> None:
    send(daemon, signal.SIGQUIT)


def kill_its_group(daemon: Daemon) -> None:
    os.killpg(os.getpgid(daemon.pid), signal.SIGKILL)


def test_steps_go_on_whatever_ends_the_daemon(running: Daemon) -> None:
    begun = begin(running)

    for end in (quit_it, kill_its_group):
        pid = running.pid
        end(running)
        eventually(lambda pid=pid: gone(pid))
        running.start()

    let_go(running)
    check_ended_once(running, begun)


def test_stop_that_waits_gives_up_after_the_grace_and_says_so(daemon: Daemon) -> None:
    daemon.configure(stop_grace=0.2)
    daemon.start()
    begun = begin(daemon)

    given_up = daemon.taskd("stop", "--wait")

    assert given_up.stdout == "taskd stopped; 2 steps go on without it\n"
    daemon.start()
    let_go(daemon)
    check_ended_once(daemon, begun)
    assert daemon.taskd("stop", "--wait").stdout == "taskd stopped\n"


def test_stop_that_waits_is_hurried_by_a_signal(running: Daemon) -> None:
    begin(running)

    with Client(running.socket) as client:
        asked = client.submit("daemon.stop", wait=True)
        eventually(lambda: client.status()["state"] == "stopping")
        send(running, signal.SIGINT)

        assert client.collect(asked) == {"running_steps": 2}


def test_signals_for_nothing_are_harmless_and_the_one_to_reload_is_obeyed(running: Daemon) -> None:
    before = running.pid
    running.configure(executor_slots=7)

    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
        send(running, number)

    with Client(running.socket) as client:
        eventually(lambda: client.status()["slots"] == 7)
        assert client.status()["pid"] == before


def test_step_that_ends_in_time_while_the_daemon_is_frozen_is_not_late(running: Daemon) -> None:
    begun = running.start_action("work")
    eventually(running.ledger_lines)
    late = time.monotonic() + 4.5

    send(running, signal.SIGSTOP)
    let_go(running)
    eventually(lambda: time.monotonic() > late)
    send(running, signal.SIGCONT)

    assert running.wait(begun) == 0
