"""No process, no thread, no descriptor can be had: what is to run waits, and the daemon goes on."""

import contextlib
import errno
import os
import re
import resource
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import Faults
from gates import ACTION, Gate
from real_daemon import Daemon, eventually, gone

from taskd.client import Client

DAEMON, HOST, SUPERVISOR = "-m taskd run", "-m taskd.executors.host", "from taskd.executors.shim"
TRUSTED = ACTION.replace("class Wait(Action", 'class Trusted(Action, isolation="thread"').replace(
    "wait", "trusted"
)

DEAF = """\
import subprocess

from taskd import Action, step


class Deaf(Action, label="deaf"):
    ledger: str

    @step
    def work(self) -> None:
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        with open(self.ledger, "a") as file:
            file.write(f"{child.pid}\\n")
        child.wait()
"""


def start(daemon: Daemon, executor_slots: int = 8) -> None:
    daemon.configure(executor_slots=executor_slots, cancel_grace="100ms")
    daemon.write_action("wait.py", ACTION)
    daemon.write_action("trusted.py", TRUSTED)
    daemon.write_action("deaf.py", DEAF)
    daemon.start()


def test_steps_wait_for_processes(daemon: Daemon, faults: Faults) -> None:
    daemon.environment |= faults.while_switched_on(DAEMON, "fork", errno.EAGAIN)
    start(daemon)

    faults.begin()
    gates = [Gate(daemon).shell(), Gate(daemon).python()]
    for gate in gates:
        gate.open()
    eventually(lambda: "no step can be started now" in daemon.log())
    before = [gate.times_begun() for gate in gates]
    faults.end()

    assert before == [0, 0]
    eventually(lambda: all(gate.ended_well() for gate in gates))


def test_daemon_that_can_start_no_process_does_not_start(daemon: Daemon, faults: Faults) -> None:
    daemon.environment |= faults.while_switched_on("taskd run", "fork", errno.EAGAIN)

    faults.begin()
    refused = daemon.taskd("run")

    assert (refused.returncode, "cannot read the actions" in refused.stderr) == (1, True)


def test_command_waits_for_a_process_also_where_it_has_a_supervisor(
    daemon: Daemon, faults: Faults
) -> None:
    daemon.environment |= faults.while_switched_on(SUPERVISOR, "fork", errno.EAGAIN)
    start(daemon)

    faults.begin()
    gate = Gate(daemon).shell()
    gate.open()
    eventually(faults.happened)
    before = gate.times_begun()
    faults.end()

    assert before == 0
    eventually(gate.ended_well)


@pytest.mark.parametrize(("who", "action"), [(DAEMON, "trusted"), (HOST, "wait")])
def test_step_waits_for_a_thread(daemon: Daemon, faults: Faults, who: str, action: str) -> None:
    daemon.environment |= faults.while_switched_on(who, "thread", errno.EAGAIN)
    start(daemon)

    faults.begin()
    gate = Gate(daemon).python(action)
    gate.open()
    eventually(faults.happened)
    before = gate.times_begun()
    faults.end()

    assert before == 0
    eventually(gate.ended_well)
    assert "Traceback" not in daemon.log()


@contextlib.contextmanager
def no_descriptors(daemon: Daemon) -> Iterator[None]:
    """No further ones, until what it needs some for is tried again and again."""
    usual = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (3, usual[1]))
    yield
    eventually(lambda: re.search("Too many open files.*: tried again", daemon.log()))
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, usual)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def test_daemon_without_descriptors_rests_and_then_goes_on(daemon: Daemon) -> None:
    start(daemon, executor_slots=1)
    running, waiting = Gate(daemon).shell().begun(), Gate(daemon).python()
    waiting.open()

    with no_descriptors(daemon), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(daemon.socket))
        running.open()
        eventually(lambda: "cannot accept a connection" in daemon.log())
        before = cpu_seconds(daemon.pid)
        time.sleep(1)
        busy = cpu_seconds(daemon.pid) - before

    assert busy < 0.2
    eventually(lambda: running.ended_well() and waiting.ended_well())


@pytest.mark.parametrize("adopted", [False, True], ids=["own", "adopted"])
def test_cancel_without_descriptors_is_done_later(daemon: Daemon, adopted: bool) -> None:
    start(daemon)
    task_id = daemon.start_action("deaf")
    child = int(eventually(daemon.ledger_lines)[0])
    if adopted:
        daemon.kill_9()
        daemon.start()

    with Client(daemon.socket) as client, no_descriptors(daemon):
        client.cancel(task_id)

    with Client(daemon.socket) as client:
        assert client.wait(task_id).result == "cancelled"
    assert gone(child)


def test_end_of_an_adopted_host_without_descriptors_is_noticed_later(daemon: Daemon) -> None:
    start(daemon)
    gate = Gate(daemon).python().begun()
    daemon.kill_9()
    daemon.start()

    with no_descriptors(daemon):
        gate.open()

    eventually(gate.ended_well)


def test_death_of_a_host_without_descriptors_is_noticed_later(daemon: Daemon) -> None:
    start(daemon)
    task_id = daemon.start_action("deaf")
    child = int(eventually(daemon.ledger_lines)[0])
    (host,) = [int(file.read_text()) for file in daemon.state.glob("hosts/*/pid")]

    with no_descriptors(daemon):
        os.kill(host, signal.SIGKILL)

    assert daemon.wait(task_id) == 9
    assert gone(child)
