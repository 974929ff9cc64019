"""Writes and syncs that fail, once or for ever: nothing is told that is not so, nothing is lost."""

import errno
from functools import partial
from pathlib import Path

import pytest
from at_work import Workers, stored, told
from faults import STORE, Faults
from gates import ACTION, Gate, state
from real_daemon import Daemon, eventually

from taskd.store.check import find_problems
from taskd.store.database import Database

rare = partial(pytest.param, marks=pytest.mark.long)
TASKS = 6
CALLS = 200  # about, on the store's files, after it was made
SOME = range(1, CALLS, 40)
OTHERS = [rare(n) for n in range(1, CALLS) if n not in SOME]
SOON = 10.0  # seconds, a few times what it takes to notice that a trouble is over


@pytest.fixture
def store(root: Path) -> Path:
    (root / "s").mkdir()
    path = root / "s" / "taskd.db"
    Database(path).close()
    return path


@pytest.mark.parametrize("moment", [*SOME, *OTHERS])
@pytest.mark.parametrize("times", [1, 3, 0], ids=["once", "thrice", "for ever"])
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_what_was_told_is_there_and_no_harm_is_done(
    root: Path, store: Path, workers: Workers, faults: Faults, moment: int, times: int, error: int
) -> None:
    environment = faults.on(STORE, at=moment, times=times, error=error)

    workers.do(environment, "write", store.parent, root / "told", TASKS)

    assert find_problems(store) == []
    assert stored(store) >= told(root / "told")


def start(daemon: Daemon, environment: dict[str, str]) -> None:
    daemon.environment |= environment
    daemon.write_action("wait.py", ACTION)
    daemon.start()


@pytest.mark.parametrize(
    ("calls", "error", "told", "why"),
    [
        ("sync", errno.EIO, "store not written", "the store cannot be written"),
        rare("write", errno.EIO, "store not written", "the store cannot be written"),
        rare("write", errno.ENOSPC, "disk full", "the disk is full"),
    ],
)
def test_store_that_cannot_be_written_takes_no_task_and_loses_no_outcome(
    daemon: Daemon, faults: Faults, calls: str, error: int, told: str, why: str
) -> None:
    start(daemon, faults.while_switched_on("/taskd.db-wal", calls, error))
    gates = [Gate(daemon).shell().begun(), Gate(daemon).python().begun()]

    faults.begin()
    for gate in gates:
        gate.open()
    refused = daemon.taskctl("exec", "--", "echo too late")
    eventually(lambda: state(daemon) == told)
    listed = daemon.taskctl("list")

    assert (refused.returncode, why in refused.stderr) == (1, True)
    assert why in listed.stderr
    assert why in daemon.taskd("status").stdout
    assert [gate.task().state for gate in gates] == ["running", "running"]

    faults.end()
    eventually(lambda: all(gate.ended_well() for gate in gates), SOON)
    assert state(daemon) == "running"
    assert daemon.wait(daemon.start_task("exec", "--", "true")) == 0
    assert daemon.task_count() == 3


@pytest.mark.long
def test_mark_that_cannot_be_written_does_nothing_twice(daemon: Daemon, faults: Faults) -> None:
    start(daemon, faults.while_switched_on("/taskd.mark", "write sync"))

    faults.begin()
    accepted = [daemon.start_task("exec", "--", f"echo x >> {daemon.ledger}") for _ in range(3)]
    eventually(lambda: state(daemon) == "store not written")
    faults.end()

    assert daemon.wait(*accepted) == 0
    assert daemon.ledger_lines() == ["x"] * 3
    assert daemon.task_count() == 3
    assert daemon.taskd("check").returncode == 0


@pytest.mark.parametrize("files", ["/attempts/", rare("/input.json")])
def test_step_whose_folder_cannot_be_written_begins_later(
    daemon: Daemon, faults: Faults, files: str
) -> None:
    start(daemon, faults.while_switched_on(files, "write sync", errno.ENOSPC))

    faults.begin()
    gate = Gate(daemon).shell()
    gate.open()
    eventually(lambda: "no step can be started now" in daemon.log())
    before = gate.times_begun()
    faults.end()

    assert before == 0
    eventually(gate.ended_well, SOON)


def test_step_whose_supervisor_cannot_begin_begins_later(daemon: Daemon, faults: Faults) -> None:
    start(daemon, faults.while_switched_on("/begun", "sync"))

    faults.begin()
    gate = Gate(daemon).shell()
    gate.open()
    eventually(faults.happened)
    before = gate.times_begun()
    faults.end()

    assert before == 0
    eventually(gate.ended_well, SOON)


@pytest.mark.parametrize("calls", ["sync", rare("write")])
def test_record_that_cannot_be_written_is_written_later(
    daemon: Daemon, faults: Faults, calls: str
) -> None:
    start(daemon, faults.while_switched_on("/exit", calls))
    gate = Gate(daemon).shell().begun()

    faults.begin()
    gate.open()
    eventually(faults.happened)
    before = gate.task().state
    faults.end()

    assert before == "running"
    eventually(gate.ended_well, SOON)


@pytest.mark.long
def test_log_that_cannot_be_written_does_no_harm_to_the_step(
    daemon: Daemon, faults: Faults
) -> None:
    start(daemon, faults.while_switched_on("/logs/", "write"))

    faults.begin()
    gates = [Gate(daemon).shell("seq 1000").begun(), Gate(daemon).python().begun()]
    for gate in gates:
        gate.open()

    eventually(lambda: all(gate.ended_well() for gate in gates))
    assert faults.happened()


def test_outcome_that_a_host_cannot_leave_is_left_later(daemon: Daemon, faults: Faults) -> None:
    start(daemon, faults.while_switched_on("/outcomes", "write sync", errno.ENOSPC))
    gate = Gate(daemon).python().begun()
    daemon.kill_9()

    faults.begin()
    gate.open()
    daemon.start()
    eventually(faults.happened)
    before = gate.task().state
    faults.end()

    assert before == "running"
    eventually(gate.ended_well, SOON)
