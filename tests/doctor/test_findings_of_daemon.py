"""What the doctor says of the daemon itself, each time with a real fault."""

import errno
import fcntl
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from looking import Look
from real_daemon import eventually
from stage import Stage

from taskd.doctor import daemon, examine
from taskd.doctor.patient import Patient, Told, ok
from taskd.version import VERSION


def test_socket_tells_who_may_use_it(stage: Stage, look: Look) -> None:
    assert "root may use it" in look(daemon.socket).messages
    stage.places.socket.chmod(0o666)

    assert look(daemon.socket).remedies == [f"chmod 600 {stage.places.socket}"]


def test_program_of_another_version_is_told(look: Look) -> None:
    assert "warning" not in look(daemon.versions, client=VERSION).severities

    told = look(daemon.versions, client="0.0.1")

    assert told.severities[0] == "warning"
    assert told.remedies == ["taskd restart"]


def test_daemon_that_starts_nothing_says_why_and_what_helps(stage: Stage, look: Look) -> None:
    assert look(daemon.at_work).severities == ["ok"]
    stage.client.drain()
    stage.engine.safe_mode = "it died five times"

    told = look(daemon.at_work)

    assert told.severities == ["problem", "warning"]
    assert told.remedies == ["taskd restart", "taskctl undrain"]


def test_trouble_with_the_disk_is_a_problem(stage: Stage, look: Look) -> None:
    stage.director.do(
        lambda _tx: stage.director.trouble.met(OSError(errno.ENOSPC, "no space left"))
    )

    told = look(daemon.at_work)

    assert told.severities == ["problem"]
    assert "the disk is full" in told.messages


@contextmanager
def has_the_store(stage: Stage) -> Iterator[subprocess.Popen[bytes]]:
    """Somebody else, who does not answer."""
    with open(stage.places.state / "lock", "w") as lock:
        other = subprocess.Popen(["sleep", "1000"])
        lock.write(str(other.pid))
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield other
        other.kill()
        other.wait()


def test_none_that_runs_is_in_order(stage: Stage, look: Look) -> None:
    assert look(daemon.holder, alone=True).severities == ["ok"]
    (stage.places.state / "lock").write_text("77")

    assert look(daemon.holder, alone=True).severities == ["ok"]


def test_who_has_the_store_and_does_not_answer_is_named(stage: Stage, look: Look) -> None:
    with has_the_store(stage) as other:
        told = look(daemon.holder, alone=True)

        assert told.severities == ["problem"]
        assert told.remedies == [f"kill {other.pid}; taskd start"]


def test_daemon_that_is_stopped_by_a_signal_is_to_go_on(stage: Stage, look: Look) -> None:
    with has_the_store(stage) as other:
        os.kill(other.pid, signal.SIGSTOP)
        resume = [f"kill -CONT {other.pid}"]

        eventually(lambda: look(daemon.holder, alone=True).remedies == resume)


def test_check_that_fails_is_a_problem_and_keeps_no_other_back(stage: Stage) -> None:
    def fail(_patient: Patient) -> Iterator[Told]:
        yield ok("so far")
        raise OSError("nobody knows")

    def go_on(_patient: Patient) -> Iterator[Told]:
        yield ok("well")

    patient: Patient = Patient(stage.places, *([None] * 3))  # type: ignore[arg-type]  # unused
    found = examine.examine(patient, {"bad": fail, "good": go_on})

    told = [(each.name, str(each.severity), each.message) for each in found]
    assert told == [
        ("bad", "ok", "so far"),
        ("bad", "problem", "cannot be looked at: nobody knows"),
        ("good", "ok", "well"),
    ]


def test_each_check_is_on_the_page_of_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs/diagnostics.md").read_text()
    tables = (examine.OF_DAEMON, examine.OF_HOST, examine.OF_STORE)

    rows = [row for row in page.splitlines() if row.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert sorted(named) == sorted(name for table in tables for name in table)
