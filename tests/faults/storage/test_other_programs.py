"""What other programs do to the files of a daemon that is at work."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from gates import Gate, state
from killer import Killer
from real_daemon import Daemon, eventually

from taskd.client import Client
from taskd.store.reserve import SIZE


@contextlib.contextmanager
def transaction(store: Path, kind: str) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute(f"BEGIN {kind}")
        connection.execute("SELECT count(*) FROM tasks").fetchone()
        yield
        connection.execute("ROLLBACK")


def test_locked_store_refuses_for_a_while_and_loses_nothing(daemon: Daemon) -> None:
    daemon.start()
    gate = Gate(daemon).shell().begun()

    with transaction(daemon.state / "taskd.db", "IMMEDIATE"):
        gate.open()
        refused = daemon.taskctl("exec", "--", "echo too late")
        listed = daemon.taskctl("list")
        eventually(lambda: state(daemon) == "store not written")

    assert (refused.returncode, listed.returncode) == (1, 0)
    assert "another program has locked the store" in refused.stderr
    assert "try again later" in refused.stderr
    eventually(gate.ended_well)
    assert daemon.wait(daemon.start_task("exec", "--", "true")) == 0
    assert daemon.task_count() == 2


def write_much(daemon: Daemon, mib: int) -> int:
    """The largest size that the WAL has meanwhile, in bytes."""
    wal = daemon.state / "taskd.db-wal"
    sizes = []
    request = {"action": "keep", "input": {"text": "x" * 16_000}}
    with Client(daemon.socket) as client:
        for _ in range(mib):
            client.start_many([request] * 64)
            client.find(limit=1)
            sizes.append(wal.stat().st_size)
    return max(sizes)


KEEP = """\
label: keep
input: {text: str}
steps:
  read: {shell: "true"}
"""


@pytest.fixture
def drained(daemon: Daemon) -> Daemon:
    """It takes tasks and starts none."""
    daemon.configure(large_wal="12MiB")
    daemon.write_action("keep.yaml", KEEP)
    daemon.start()
    daemon.taskctl("drain")
    return daemon


@pytest.mark.long
def test_wal_stays_small_under_load(drained: Daemon) -> None:
    assert write_much(drained, mib=24) <= 2 * SIZE


def test_long_reader_makes_the_wal_grow_and_is_told_of(drained: Daemon) -> None:
    with transaction(drained.state / "taskd.db", "DEFERRED"):
        grown = write_much(drained, mib=16)
        eventually(lambda: "somebody reads the store for long" in drained.log())

    assert grown > SIZE
    eventually(lambda: write_much(drained, mib=1) <= SIZE)


@pytest.mark.parametrize("what", [pytest.param("taskd.db", marks=pytest.mark.long), "."])
def test_daemon_whose_store_was_moved_ends_and_the_next_has_all(
    killer: Killer, daemon: Daemon, what: str
) -> None:
    killer.spawn()
    eventually(killer.answers)
    gate = Gate(daemon).shell().begun()
    place = (daemon.state / what).resolve()

    elsewhere = place.rename(daemon.root / "elsewhere")
    status = killer.wait()
    elsewhere.rename(place)
    daemon.start()
    gate.open()

    assert status == 75
    eventually(gate.ended_well)


def test_removed_socket_is_made_again(daemon: Daemon) -> None:
    daemon.start()

    daemon.socket.unlink()

    eventually(daemon.socket.exists, patience=6)
    assert daemon.taskctl("list").returncode == 0
