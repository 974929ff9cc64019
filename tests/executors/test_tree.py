"""Trees of real processes."""

import contextlib
import gc
import os
import resource
import signal
import subprocess
from collections.abc import Iterator

import pytest
from attempts import gone, wait_for

from taskd.executors.tree import descendants, kill_tree


@pytest.fixture
def shell() -> Iterator[subprocess.Popen[bytes]]:
    """A shell with a child that has a session and a child of its own."""
    line = "setsid sh -c 'sleep 60; true' & wait"
    process = subprocess.Popen(["/bin/sh", "-c", line])
    wait_for(lambda: len(descendants(process.pid)) == 2)
    yield process
    kill_tree(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def test_descendants_are_found_across_sessions(shell: subprocess.Popen[bytes]) -> None:
    child, grandchild = descendants(shell.pid)

    assert descendants(child) == [grandchild]


def test_signal_goes_to_all_below_but_not_to_the_top(shell: subprocess.Popen[bytes]) -> None:
    below = descendants(shell.pid)

    count = kill_tree(shell.pid, signal.SIGKILL)

    assert count == 2
    wait_for(lambda: all(map(gone, below)))
    assert shell.wait(10) == 0


@contextlib.contextmanager
def descriptors(count: int) -> Iterator[None]:
    """So many more can be had."""
    gc.collect()  # what earlier tests have left would be closed at any time
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(count + 1)]  # some below others
    for file in opened:
        os.close(file)
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened[-1], hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_tree_may_have_more_processes_than_there_are_descriptors() -> None:
    process = subprocess.Popen(["/bin/sh", "-c", "sleep 60 & sleep 60 & sleep 60 & wait"])
    wait_for(lambda: len(descendants(process.pid)) == 3)

    with descriptors(2):
        first = kill_tree(process.pid, signal.SIGKILL)
        wait_for(lambda: kill_tree(process.pid, signal.SIGKILL) == 0)

    assert first == 1
    assert process.wait(10) == 0


def test_tree_that_cannot_be_read_is_not_taken_for_empty(shell: subprocess.Popen[bytes]) -> None:
    with descriptors(0), pytest.raises(OSError, match="Too many open files"):
        kill_tree(shell.pid, signal.SIGKILL)


def test_process_that_ended_has_no_descendants() -> None:
    process = subprocess.Popen(["true"])
    process.wait()

    assert descendants(process.pid) == []
    assert kill_tree(process.pid, signal.SIGKILL) == 0
