"""`taskctl doctor` where something is really wrong, and no daemon may be there to say it."""

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from typing import Any

from real_daemon import Daemon

from taskd.store.database import Database

HOUR = 3600_000_000


def examine(daemon: Daemon, code: int) -> dict[str, Any]:
    """The worst finding of each name, in one check a name."""
    done = daemon.taskctl("doctor", "-o", "json")
    assert done.returncode == code, done.stdout + done.stderr
    worst: dict[str, Any] = {}
    order = ("ok", "note", "warning", "problem")
    for check in json.loads(done.stdout)["checks"]:
        known = worst.setdefault(check["name"], check)
        if order.index(check["severity"]) > order.index(known["severity"]):
            worst[check["name"]] = check
    return worst


def problems(found: dict[str, Any]) -> list[str]:
    return [name for name, check in found.items() if check["severity"] == "problem"]


def make_late(daemon: Daemon) -> None:
    """What was scheduled was to begin an hour ago."""
    with closing(sqlite3.connect(daemon.state / "taskd.db")) as store:
        store.execute(f"UPDATE steps SET due_at = due_at - {3 * HOUR} WHERE due_at IS NOT NULL")
        store.commit()


def test_healthy_daemon_has_no_problem_and_of_several_all_are_told(running: Daemon) -> None:
    healthy = examine(running, 0)
    running.write_action("bad.yaml", "label: bad\nsteps: 7\n")
    (running.state / "taskd.yaml").write_text("settings:\n  cancel_grace: soon\n")
    running.taskctl("drain")

    found = examine(running, 1)

    assert problems(healthy) == []
    assert problems(found) == ["configuration", "actions"]
    assert found["at work"]["remedy"] == "taskctl undrain"


def test_page_that_was_damaged_under_the_daemon_is_a_problem(daemon: Daemon) -> None:
    Database(daemon.state / "taskd.db").close()  # so that nothing of it is in the WAL
    daemon.start()
    damage(daemon, "links_of_resource")

    found = examine(daemon, 1)

    assert problems(found) == ["integrity"]
    assert "taskd restore" in found["integrity"]["remedy"]


def damage(daemon: Daemon, table: str) -> None:
    path = daemon.state / "taskd.db"
    with closing(sqlite3.connect(path)) as store:
        [root] = store.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
        ).fetchone()
        [size] = store.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)


def test_without_a_daemon_it_says_what_it_can(running: Daemon) -> None:
    running.taskctl("exec", "--at", "2h", "--", "true")
    running.kill_9()
    make_late(running)

    found = examine(running, 6)
    shown = running.taskctl("doctor")

    assert problems(found) == ["socket", "schedule"]
    assert "left over" in found["socket"]["message"]
    assert found["socket"]["remedy"] == found["schedule"]["remedy"] == "taskd start"
    assert found["integrity"]["severity"] == "ok"
    assert shown.returncode == 6
    assert "2 problems" in shown.stdout
    assert "left over" in shown.stderr
    assert str(running.socket) in shown.stderr


def test_nothing_is_made_where_there_is_nothing(daemon: Daemon) -> None:
    before = sorted(daemon.state.iterdir())

    found = examine(daemon, 6)

    assert problems(found) == ["socket"]
    assert "no such socket" in found["socket"]["message"]
    assert sorted(daemon.state.iterdir()) == before


def test_store_that_was_emptied_is_a_problem(daemon: Daemon) -> None:
    Database(daemon.state / "taskd.db").close()
    os.truncate(daemon.state / "taskd.db", 0)

    found = examine(daemon, 6)

    assert problems(found) == ["socket", "store"]
    assert "--accept-loss" in found["store"]["remedy"]


def test_daemon_that_is_stopped_is_told_to_go_on_also_without_its_socket(running: Daemon) -> None:
    running.taskctl("exec", "--at", "2h", "--", "true")
    os.kill(running.pid, signal.SIGSTOP)  # as by a Ctrl-Z
    make_late(running)
    begun = time.monotonic()
    found = examine(running, 6)
    taken = time.monotonic() - begun
    running.socket.unlink()
    without_socket = examine(running, 6)

    assert taken < 20
    assert "does not answer" in found["socket"]["message"]
    assert "no such socket" in without_socket["socket"]["message"]
    for each in (found, without_socket):
        assert problems(each) == ["socket", "daemon", "schedule"]
        assert each["daemon"]["remedy"] == f"kill -CONT {running.pid}"


def test_file_in_the_place_of_the_socket_is_told(daemon: Daemon) -> None:
    daemon.socket.touch()

    found = examine(daemon, 6)

    assert "it is no socket" in found["socket"]["message"]
    assert "nobody can listen there" in found["state directory"]["message"]
