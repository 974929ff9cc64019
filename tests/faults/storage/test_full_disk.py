"""The disk is full while steps run: nothing is lost, what must work does, and it ends by itself."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from gates import ACTION, Gate, state
from mounts import Disk
from real_daemon import Daemon, eventually

from taskd.client import Client
from taskd.store.reserve import SIZE

SOON = 5.0  # seconds until it goes on when there is room

TWO = """\
label: two
input: {ledger: str}
steps:
  first:
    shell: echo first >> "$ledger"; until test -e "$ledger.open"; do sleep 0.02; done
  second:
    shell: echo second >> "$ledger"
"""


@pytest.fixture
def running(small: Daemon) -> Daemon:
    """On a small disk, with slots enough."""
    small.configure(executor_slots=8, cancel_grace="1s", allow_dangerous_actions="true")
    small.write_action("wait.py", ACTION)
    small.write_action("two.yaml", TWO)
    small.start()
    return small


@pytest.fixture
def crowded(root: Path) -> Iterator[Disk]:
    """A disk that takes few files."""
    disk = Disk(root / "s", "size=24m,nr_inodes=300")
    disk.mount()
    yield disk
    disk.unmount()


def fill(disk: Disk, daemon: Daemon) -> None:
    """The daemon has noticed it."""
    disk.fill()
    eventually(lambda: state(daemon) == "disk full")


def result(daemon: Daemon, task_id: int) -> str:
    """Of a task that is to end."""
    with Client(daemon.socket) as client:
        return client.wait(task_id, timeout=20).result


def test_full_disk_takes_no_task_and_says_why(running: Daemon, disk: Disk) -> None:
    fill(disk, running)

    refused = running.taskctl("exec", "--", "echo too late")
    listed = running.taskctl("list")
    status = running.taskd("status")
    doctor = running.taskctl("doctor")

    assert (refused.returncode, listed.returncode, status.returncode) == (1, 0, 0)
    assert doctor.returncode == 1
    assert "df -h" in doctor.stdout
    assert "no task is started now: the disk is full" in refused.stderr
    assert "make room" in refused.stderr
    assert "the disk is full: no step is started until that is over" in listed.stderr
    assert "the disk is full: no step is started until that is over" in status.stdout
    assert running.task_count() == 0


def test_tasks_that_run_can_be_cancelled_though_others_eat_all_room(
    running: Daemon, disk: Disk
) -> None:
    greedy = f"head -c 1M /dev/zero >> {disk.path}/greed"
    gates = [
        Gate(running).shell("seq 100").begun(),
        Gate(running).python().begun(),
        Gate(running).shell(greedy).begun(),
    ]
    eventually(lambda: state(running) == "disk full")

    cancelled = [running.taskctl("cancel", gate.task_id).returncode for gate in gates]

    assert cancelled == [0, 0, 0]
    assert [result(running, gate.task_id) for gate in gates] == ["cancelled"] * 3


@pytest.mark.long
def test_steps_that_end_on_a_full_disk_have_ended(running: Daemon, disk: Disk) -> None:
    gates = [Gate(running).shell("seq 100"), Gate(running).shell(), Gate(running).python()]
    for gate in gates:
        gate.begun()
    fill(disk, running)

    for gate in gates:
        gate.open()

    eventually(lambda: all(gate.ended_well() for gate in gates))


def test_what_waits_goes_on_by_itself_when_there_is_room(running: Daemon, disk: Disk) -> None:
    task_id = running.start_action("two")
    eventually(running.ledger_lines)
    fill(disk, running)
    Path(f"{running.ledger}.open").touch()
    eventually(lambda: running.show(task_id)["steps"][1]["state"] == "success")
    before = running.ledger_lines()

    disk.make_room()

    eventually(lambda: running.ledger_lines() == ["first", "second"], SOON)
    assert before == ["first"]
    assert result(running, task_id) == "success"
    assert state(running) == "running"
    assert running.wait(running.start_task("exec", "--", "true")) == 0


@pytest.mark.long
def test_outcomes_of_a_time_without_daemon_are_recorded(running: Daemon, disk: Disk) -> None:
    gates = [Gate(running).shell().begun(), Gate(running).python().begun()]
    fill(disk, running)
    running.kill_9()
    for gate in gates:
        gate.open()

    running.start()
    full = state(running)
    disk.make_room()

    eventually(lambda: all(gate.ended_well() for gate in gates), SOON)
    assert full == "disk full"


LONG = 900_000  # bytes; more than a supervisor has taken room for


def start_long_lines(daemon: Daemon, disk: Disk, tasks: int) -> list[int]:
    """Tasks whose step has printed such a line on a full disk, and ended."""
    gate = daemon.root / "open"
    line = f"until test -e {gate}; do sleep 0.02; done; head -c {LONG} /dev/zero | tr '\\0' x"
    task_ids = [
        daemon.start_task("exec", "--", f"{line}; echo ended >> {daemon.ledger}")
        for _ in range(tasks)
    ]
    fill(disk, daemon)
    gate.touch()
    eventually(lambda: len(daemon.ledger_lines()) == tasks)
    return task_ids


@pytest.mark.long
def test_output_for_which_there_is_no_room_is_recorded_later(running: Daemon, disk: Disk) -> None:
    task_ids = start_long_lines(running, disk, tasks=3)
    before = [running.show(task_id)["state"] for task_id in task_ids]

    disk.make_room()

    assert before == ["running"] * 3
    assert [result(running, task_id) for task_id in task_ids] == ["success"] * 3
    assert [len(running.show(task_id)["output"]) for task_id in task_ids] == [LONG] * 3


def test_step_whose_output_has_no_room_can_be_ended(running: Daemon, disk: Disk) -> None:
    cancelled, unlocked = start_long_lines(running, disk, tasks=2)

    running.taskctl("cancel", cancelled)
    running.taskctl("unlock", "--force", "--yes", unlocked)

    assert [result(running, task_id) for task_id in (cancelled, unlocked)] == ["cancelled", "error"]
    assert [error["message"] for error in running.show(unlocked)["errors"]] == ["killed by unlock"]
    assert state(running) == "disk full"


def test_stopped_daemon_starts_on_a_full_disk_and_cancels(running: Daemon, disk: Disk) -> None:
    gate = Gate(running).shell().begun()
    running.taskd("stop")
    disk.fill()

    started = running.taskd("start")
    cancelled = running.taskctl("cancel", gate.task_id)

    assert (started.returncode, cancelled.returncode) == (0, 0)
    assert "the disk is full" in started.stderr
    assert result(running, gate.task_id) == "cancelled"


@pytest.mark.long
def test_first_start_on_a_full_disk_is_refused_and_leaves_nothing_in_the_way(
    small: Daemon, disk: Disk
) -> None:
    disk.fill()

    refused = small.taskd("run")
    disk.make_room()
    started = small.taskd("start")

    assert (refused.returncode, started.returncode) == (78, 0)
    assert "make room on its disk" in refused.stderr


@pytest.mark.long
def test_disk_that_takes_no_more_files_is_full(crowded: Disk) -> None:
    daemon = Daemon(crowded.path.parent)
    daemon.start()
    ballast = crowded.path / "files"
    ballast.mkdir()
    gate = Gate(daemon).shell().begun()
    crowded.fill_with_files(ballast)
    eventually(lambda: state(daemon) == "disk full")

    refused = daemon.taskctl("exec", "--", "true")
    cancelled = daemon.taskctl("cancel", gate.task_id)
    for file in ballast.iterdir():
        file.unlink()

    assert (refused.returncode, cancelled.returncode) == (1, 0)
    eventually(lambda: state(daemon) == "running", SOON)
    assert daemon.wait(daemon.start_task("exec", "--", "true")) == 0
    daemon.close()


@pytest.mark.long
def test_reserve_is_there_while_a_daemon_is_at_work_and_while_none_is(
    running: Daemon, disk: Disk
) -> None:
    at_work = (disk.path / "taskd.db-wal").stat()
    running.taskd("stop")
    at_rest = (disk.path / "taskd.reserve").stat()

    assert [found.st_blocks * 512 for found in (at_work, at_rest)] == [SIZE, SIZE]
    running.start()
    assert not (disk.path / "taskd.reserve").exists()


def test_import_that_has_no_room_changes_nothing(running: Daemon, root: Path) -> None:
    running.start_task("exec", "--", "true")
    running.taskctl("export", "--search", "", "--format", "jsonl", "--file", root / "one")
    record = json.loads((root / "one").read_text())
    large = {"input": {"text": "x" * (1 << 20)}}
    lines = [json.dumps(record | large | {"id": number}) for number in range(2, 80)]
    (root / "many").write_text("\n".join(lines))

    refused = running.taskctl("import", root / "many")

    assert refused.returncode == 2
    assert "database or disk is full; nothing was imported" in refused.stderr
    assert "make room beside" in refused.stderr
    assert running.task_count() == 1
    assert not (running.state / "import.db").exists()
