"""What a service manager hears from a daemon that works, hangs, reloads and stops."""

import contextlib
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from managed import Manager
from real_daemon import eventually

from taskd.client import Client

WATCHDOG_USEC = 1_000_000


def test_daemon_is_ready_when_its_socket_answers(manager: Manager) -> None:
    manager.start()
    manager.hear("READY", "1")

    with Client(manager.path) as client:
        assert client.status()["state"] == "running"


def test_status_tells_running_steps_and_tasks_by_state(manager: Manager) -> None:
    manager.start()
    manager.hear("STATUS", "running steps: 0; tasks: none unfinished")
    with Client(manager.path) as client:
        client.exec("sleep 60", cwd="/", environment={})

    manager.hear("STATUS", "running steps: 1; tasks: 1 running")


def test_reload_by_signal_and_by_request_is_told(manager: Manager) -> None:
    process = manager.start()
    manager.hear("READY")
    with Client(manager.path) as client:
        client.reload()
    manager.hear("RELOADING", "1")
    manager.hear("READY", "1")

    process.send_signal(signal.SIGHUP)

    manager.hear("RELOADING", "1")
    manager.hear("READY", "1")


def test_stopping_is_told(manager: Manager) -> None:
    process = manager.start()
    manager.hear("READY")

    process.send_signal(signal.SIGTERM)

    manager.hear("STOPPING", "1")
    assert process.wait(30) == 0


def test_watchdog_is_fed(manager: Manager) -> None:
    manager.start(WATCHDOG_USEC=WATCHDOG_USEC)

    for _ in range(3):
        manager.hear("WATCHDOG", "1")


def test_watchdog_is_not_fed_while_nothing_can_be_committed(manager: Manager) -> None:
    manager.start(WATCHDOG_USEC=WATCHDOG_USEC)
    manager.hear("WATCHDOG")
    with contextlib.closing(sqlite3.connect(manager.folder / "taskd.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        manager.forget()

        with pytest.raises(TimeoutError):
            manager.message(patience=3 * WATCHDOG_USEC / 1e6)

        other.execute("ROLLBACK")
    manager.hear("WATCHDOG")


def test_watchdog_that_kills_a_hanging_daemon_makes_it_say_where_it_hangs(
    manager: Manager,
) -> None:
    process = manager.start(WATCHDOG_USEC=WATCHDOG_USEC)
    manager.hear("READY")
    eventually(lambda: is_idle(process.pid))  # as it hangs; while it works, threads change
    process.send_signal(signal.SIGABRT)

    _, told = process.communicate(timeout=30)

    assert process.returncode == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in told
    assert "loop.py" in told


def is_idle(pid: int) -> bool:
    before = processor_time(pid)
    time.sleep(0.2)
    return processor_time(pid) == before


def processor_time(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
