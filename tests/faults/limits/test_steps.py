"""Steps that write without an end, or leave behind what does not want to end."""

import os
from pathlib import Path
from typing import Any

import pytest
from crowd import MIB, MOST_MEMORY, is_responsive
from real_daemon import Daemon, eventually, gone, peak_memory

A_WHILE = 600.0  # seconds, for what is limited by the machine alone

# Two forks, a session of its own, deaf to SIGTERM, and still at the step's output.
DAEMONISED = """\
import os, signal, sys, time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open(sys.argv[1], "w") as file:
            file.write(f"{os.getpid()}\\n")
        print("daemonised", flush=True)
        time.sleep(600)
    os._exit(0)
os.wait()
"""


@pytest.mark.parametrize(
    "count", [300_000_000, pytest.param(10_000_000_000, marks=pytest.mark.long)]
)
def test_output_without_an_end_is_cut_and_never_held_up(daemon: Daemon, count: int) -> None:
    daemon.configure(log_limit="1 MiB")
    daemon.start()

    task_id = daemon.start_task("exec", "--", f"yes | head -c {count}; echo; echo the end")
    responsive = is_responsive(daemon)

    assert responsive
    task = eventually(lambda: stopped(daemon, task_id), A_WHILE)
    assert (task["result"], task["output"]) == ("success", "the end")
    assert kept(daemon.state / "logs") < 3 * MIB
    assert peak_memory(daemon.pid) < MOST_MEMORY


@pytest.fixture
def grandchild(daemon: Daemon) -> Path:
    """Where it writes its pid; `daemonise.py` beside it."""
    (daemon.root / "daemonise.py").write_text(DAEMONISED)
    return daemon.root / "pid"


def command(grandchild: Path) -> str:
    return f"python3 {grandchild.parent}/daemonise.py {grandchild}"


def test_cancel_ends_also_what_was_daemonised(daemon: Daemon, grandchild: Path) -> None:
    daemon.configure(cancel_grace="200ms")
    daemon.start()
    task_id = daemon.start_task("exec", "--", f"trap '' TERM; {command(grandchild)}; sleep 600")
    pid = eventually(lambda: grandchild.exists() and grandchild.read_text())

    daemon.taskctl("cancel", task_id)

    assert daemon.wait(task_id) == 10
    eventually(lambda: gone(int(pid)))
    assert daemon.others() == []


def test_step_ends_though_what_was_daemonised_keeps_its_output(
    daemon: Daemon, grandchild: Path
) -> None:
    daemon.start()

    task_id = daemon.start_task("exec", "--", f"{command(grandchild)}; echo done")

    assert daemon.wait(task_id) == 0
    assert daemon.show(task_id)["output"] == "done"
    assert not gone(int(grandchild.read_text()))
    os.kill(int(grandchild.read_text()), 9)


def stopped(daemon: Daemon, task_id: int) -> Any:
    task = daemon.show(task_id)
    return task if task["state"] == "stopped" else None


def kept(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
