"""Where the code of an action runs, and what that means when the daemon ends."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from real_daemon import Daemon, eventually

ACTIONS = """\
import os
import time
from pathlib import Path
from taskd import Action, step

with open({ledger!r}, "a") as ledger:
    ledger.write(f"{{os.getpid()}}\\n")

class Wait(Action, label="wait.{isolation}", isolation="{isolation}"):
    place: str

    @step(idempotent={idempotent})
    def work(self) -> int:
        Path(self.place).touch()
        while not Path(self.place + ".go").exists():
            time.sleep(0.01)
        return os.getpid()
"""


@pytest.fixture
def place(daemon: Daemon) -> str:
    """What a step touches when it begins; with `.go` behind it, it may end."""
    return str(daemon.root / "place")


def write(daemon: Daemon, isolation: str, *, idempotent: bool = False) -> None:
    text = ACTIONS.format(isolation=isolation, idempotent=idempotent, ledger=str(daemon.ledger))
    daemon.write_action(f"{isolation}.py", text)


def begin(daemon: Daemon, place: str, isolation: str = "thread") -> int:
    """A task whose step has begun."""
    task_id = daemon.start_task("run", f"wait.{isolation}", f"place={place}")
    eventually(lambda: os.path.exists(place))
    return task_id


def let_go(place: str) -> None:
    with open(place + ".go", "w"):
        pass


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_only_code_of_the_daemons_threads_is_imported_by_it(
    daemon: Daemon, place: str, isolation: str
) -> None:
    write(daemon, isolation)
    daemon.start()
    task_id = begin(daemon, place, isolation)
    let_go(place)
    assert daemon.wait(task_id) == 0

    in_daemon = isolation == "thread"
    assert (daemon.show(task_id)["output"] == daemon.pid) == in_daemon
    assert (str(daemon.pid) in daemon.ledger_lines()) == in_daemon


def test_what_ran_in_a_daemon_that_was_killed_is_unknown(daemon: Daemon, place: str) -> None:
    write(daemon, "thread")
    daemon.start()
    task_id = begin(daemon, place)

    daemon.kill_9()
    daemon.start()

    assert daemon.wait(task_id) == 9
    [error] = daemon.show(task_id)["errors"]
    assert error["kind"] == "interrupted"
    let_go(place)
    daemon.taskctl("resume", task_id)
    assert daemon.wait(task_id) == 0


def test_idempotent_step_of_a_daemon_that_was_killed_runs_again(daemon: Daemon, place: str) -> None:
    write(daemon, "thread", idempotent=True)
    daemon.start()
    task_id = begin(daemon, place)

    daemon.kill_9()
    let_go(place)
    daemon.start()

    assert daemon.wait(task_id) == 0
    assert daemon.show(task_id)["output"] == daemon.pid


def test_daemon_that_is_told_to_stop_waits_a_while_for_its_threads(
    daemon: Daemon, place: str
) -> None:
    daemon.configure(cancel_grace="20s")
    write(daemon, "thread")
    daemon.start()
    pid, task_id = daemon.pid, begin(daemon, place)

    with ThreadPoolExecutor() as pool:
        restarted = pool.submit(daemon.taskd, "restart")
        eventually(lambda: "told to stop" in daemon.log())
        let_go(place)

    assert restarted.result().returncode == 0
    assert daemon.pid != pid
    assert daemon.show(task_id)["output"] == pid


def test_daemon_does_not_wait_longer_than_the_grace(daemon: Daemon, place: str) -> None:
    daemon.configure(cancel_grace=0.1)
    write(daemon, "thread")
    daemon.start()
    task_id = begin(daemon, place)

    stopped = daemon.taskd("restart")

    assert stopped.returncode == 0
    assert daemon.wait(task_id) == 9


def test_cancelled_step_that_does_not_heed_is_waited_for(daemon: Daemon, place: str) -> None:
    daemon.configure(cancel_grace=0.1)
    write(daemon, "thread")
    daemon.start()
    task_id = begin(daemon, place)

    daemon.taskctl("cancel", "--force", task_id)
    unfinished = daemon.show(task_id)["state"]
    let_go(place)

    assert unfinished == "running"
    assert daemon.wait(task_id) == 0
