"""The disk is read-only, or files may not grow: the daemon says so, and goes on when it may."""

import contextlib
import resource
from collections.abc import Iterator

import pytest
from gates import ACTION, Gate, state
from mounts import read_only
from real_daemon import Daemon, eventually


def start(daemon: Daemon) -> list[Gate]:
    """Steps of both kinds, which run."""
    daemon.write_action("wait.py", ACTION)
    daemon.start()
    return [Gate(daemon).shell().begun(), Gate(daemon).python().begun()]


def test_daemon_does_not_start_where_it_cannot_write(daemon: Daemon) -> None:
    with read_only(daemon.state):
        refused = [daemon.taskd("run"), daemon.taskd("start")]

    assert [one.returncode for one in refused] == [78, 78]
    assert f"cannot use {daemon.state}: it cannot be written" in refused[0].stderr
    assert "taskd.log: Read-only file system" in refused[1].stderr


@pytest.mark.long
def test_daemon_whose_folder_becomes_read_only_goes_on_later(daemon: Daemon) -> None:
    gates = start(daemon)

    with read_only(daemon.state):
        later = Gate(daemon).shell()
        for gate in [*gates, later]:
            gate.open()
        eventually(lambda: state(daemon) == "store not written")
        status = daemon.taskd("status").stdout
        before = later.times_begun()

    assert "the disk cannot be written (Read-only file system)" in status
    assert before == 0
    eventually(lambda: all(gate.ended_well() for gate in [*gates, later]))


@contextlib.contextmanager
def no_file_may_grow(daemon: Daemon) -> Iterator[None]:
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    yield
    usual = resource.RLIM_INFINITY
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (usual, usual))


def test_daemon_whose_files_may_not_grow_goes_on_later(daemon: Daemon) -> None:
    gates = start(daemon)

    with no_file_may_grow(daemon):
        for gate in gates:
            gate.open()
        eventually(lambda: state(daemon) == "store not written")
        refused = daemon.taskctl("exec", "--", "echo too late")

    assert (refused.returncode, "the store cannot be written" in refused.stderr) == (1, True)
    eventually(lambda: all(gate.ended_well() for gate in gates))
    assert daemon.task_count() == 2
