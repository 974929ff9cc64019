"""A daemon that is given the socket at which it shall serve."""

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from managed import Manager

from taskd.client import Client

LOOK = """\
import os

from taskd import action


@action(label="look")
def look() -> dict:
    entries = [entry.path for entry in os.scandir("/proc/self/fd")]
    descriptors = [os.readlink(path) for path in entries if os.path.lexists(path)]
    return {"variables": list(os.environ), "descriptors": descriptors}
"""


def test_daemon_serves_those_who_waited_before_it_was_there(manager: Manager) -> None:
    with manager.listen() as listener, manager.ask() as client:
        daemon = manager.start(listener)

        assert answer(client)["result"]["pid"] == daemon.pid


def test_given_socket_counts_and_not_the_one_that_was_asked_for(manager: Manager) -> None:
    with manager.listen() as listener:
        manager.start(listener, TASKD_SOCKET=manager.folder / "other.sock")
        manager.hear("READY")

        with Client(manager.path) as client:
            assert client.status()["socket"] == str(manager.path)
    assert not (manager.folder / "other.sock").exists()


def test_given_socket_stays_for_the_next_daemon(manager: Manager) -> None:
    with manager.listen() as listener:
        first = manager.start(listener)
        manager.hear("READY")
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) == 0

        with manager.ask() as client:
            second = manager.start(listener)

            assert answer(client)["result"]["pid"] == second.pid


def test_descriptors_that_are_for_another_process_are_left_alone(manager: Manager) -> None:
    with manager.listen() as listener:
        manager.path.unlink()

        manager.start(LISTEN_FDS=1, LISTEN_PID=1)
        manager.hear("READY")

        with Client(manager.path) as client:
            assert client.status()["pid"]
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_steps_inherit_neither_variables_nor_the_socket(manager: Manager) -> None:
    (manager.folder / "actions").mkdir()
    (manager.folder / "actions/look.py").write_text(LOOK)
    with manager.listen() as listener:
        inode = os.fstat(listener.fileno()).st_ino
        manager.start(listener, WATCHDOG_USEC=60_000_000)
        manager.hear("READY")
        with Client(manager.path) as client:
            found: Any = client.wait(client.start("look").id).output

    theirs = ("NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_")
    assert "TASKD_STATE_DIR" in found["variables"]
    assert [name for name in found["variables"] if name.startswith(theirs)] == []
    assert f"socket:[{inode}]" not in found["descriptors"]


def _two(folder: Path) -> list[socket.socket]:
    return [_listening(folder / name) for name in ("a", "b")]


def _listening(path: Path | str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def _not_listening(folder: Path) -> list[socket.socket]:
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(folder / "a"))
    return [bound]


def _datagram(folder: Path) -> list[socket.socket]:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bound.bind(str(folder / "a"))
    return [bound]


def _abstract(_folder: Path) -> list[socket.socket]:
    return [_listening("\0taskd-activation-test")]


def _internet(_folder: Path) -> list[socket.socket]:
    listener = socket.create_server(("127.0.0.1", 0))
    return [listener]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_two, "2 sockets"),
        (_not_listening, "it does not listen"),
        (_datagram, "it is no stream"),
        (_abstract, "it has no path"),
        (_internet, "it is no Unix socket"),
    ],
)
def test_socket_that_cannot_serve_is_refused(
    manager: Manager, make: Callable[[Path], list[socket.socket]], why: str
) -> None:
    sockets = make(manager.folder)

    process = manager.start(*sockets)
    _, complaint = process.communicate(timeout=30)

    for one in sockets:
        one.close()
    assert process.returncode == 78
    assert why in complaint
    assert "ListenStream=" in complaint


def test_client_that_waits_in_vain_is_told_why(manager: Manager) -> None:
    (manager.folder / "taskd.db").write_text("no store " * 100)
    with manager.listen() as listener, manager.ask() as client:
        process = manager.start(listener)

        error = answer(client)["error"]

    reason = f"cannot use {manager.folder / 'taskd.db'}: file is not a database"
    assert (error["message"], error["data"]["code"]) == (
        f"the daemon cannot start: {reason}",
        "unavailable",
    )
    assert process.wait(30) == 78


def test_silent_client_does_not_keep_a_daemon_that_refuses(manager: Manager) -> None:
    (manager.folder / "taskd.db").write_text("no store " * 100)
    with manager.listen() as listener, socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(manager.path))

        assert manager.start(listener).wait(30) == 78


def answer(client: socket.socket) -> Any:
    return json.loads(client.makefile().readline())
