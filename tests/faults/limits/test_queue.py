"""Many tasks that wait: they cost little, and a daemon that is killed is soon back."""

import time

import pytest
from crowd import MIB, MOST_MEMORY, is_responsive
from real_daemon import Daemon, peak_memory

from taskd.client import Client
from taskd.model.errors import InvalidState

PART = 1000
SOON = 10.0  # seconds; what it takes on an idle machine is measured by `make bench`
WAITING = """\
from taskd import Action, step


class Waiting(Action, label="waiting"):
    text: str = ""

    @step
    def work(self) -> None:
        pass
"""


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_many_tasks_may_wait(daemon: Daemon, count: int) -> None:
    daemon.write_action("waiting.py", WAITING)
    daemon.start()
    daemon.taskctl("drain")

    with Client(daemon.socket) as client:
        for _ in range(count // PART):
            client.start_many([{"action": "waiting"}] * PART)
        assert is_responsive(daemon)
    assert peak_memory(daemon.pid) < MOST_MEMORY

    daemon.kill_9()
    begin = time.monotonic()
    daemon.start()

    assert daemon.json("list")["items"][0]["id"] == count
    assert time.monotonic() - begin < SOON
    assert is_responsive(daemon)
    assert peak_memory(daemon.pid) < MOST_MEMORY


def test_large_inputs_of_tasks_that_wait_are_not_kept_in_memory(daemon: Daemon) -> None:
    daemon.write_action("waiting.py", WAITING)
    daemon.start()
    daemon.taskctl("drain")

    with Client(daemon.socket) as client:
        for _ in range(15):
            task = client.start("waiting", {"text": "x" * 10 * MIB})
            with pytest.raises(InvalidState):
                client.resume(task.id)

    assert daemon.task_count() == 15
    assert peak_memory(daemon.pid) < MOST_MEMORY
