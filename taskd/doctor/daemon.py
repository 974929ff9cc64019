"""The daemon itself: who may use it, which version it has, whether it starts anything; or who else
is in its place."""

import fcntl
import getpass
import os
import platform
import stat
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from taskd.doctor.patient import Patient, Told, command, note, ok, problem, warning
from taskd.store import health
from taskd.version import VERSION

_PRIVATE = stat.S_IRWXG | stat.S_IRWXO


def socket(patient: Patient) -> Iterator[Told]:
    path = patient.places.socket
    found = path.stat()
    if found.st_uid != os.geteuid():
        yield problem(
            f"{path} belongs to user {found.st_uid}, not to the daemon's", "taskd restart"
        )
    elif stat.S_IMODE(found.st_mode) & _PRIVATE:
        yield warning(f"others may connect to {path}, and are refused", command("chmod", 600, path))
    else:
        who = " and ".join(dict.fromkeys((getpass.getuser(), "root")))
        yield ok(f"{path}: {who} may use it")


def versions(patient: Patient) -> Iterator[Told]:
    if patient.client and patient.client != VERSION:
        yield warning(f"taskctl is {patient.client}, the daemon {VERSION}", "taskd restart")
    else:
        yield ok(f"taskd {VERSION}, Python {platform.python_version()}")
    if version := health.flawed_sqlite():
        yield note(f"SQLite {version} may damage a store to which two programs write: let none")


def at_work(patient: Patient) -> Iterator[Told]:
    """Whether it starts steps."""
    engine = patient.engine
    assert engine
    if engine.safe_mode:
        yield problem(engine.safe_mode, "taskd restart")
    trouble = engine.director.trouble
    if trouble.what:
        remedy = command("df", "-h", patient.places.state) if trouble.full else patient.read_log
        yield problem(trouble.note, remedy)
    if drained := engine.director.drained:
        yield warning(f"drained {drained}: no step is started", "taskctl undrain")
    if not engine.note:
        up = timedelta(seconds=int(time.monotonic() - engine.started))
        steps = f"{engine.director.calls_out} running steps, {engine.pool.slots} slots"
        yield ok(f"pid {os.getpid()}, up {up}: {steps}")


# Where none answers


def holder(patient: Patient) -> Iterator[Told]:
    """Who has the store all the same."""
    state = patient.places.state
    pid = _holder(state)
    if pid is None:
        yield ok(f"none runs in {state}")
    elif _is_stopped(pid):
        yield problem(f"the daemon (pid {pid}) is stopped by a signal", f"kill -CONT {pid}")
    else:
        yield problem(
            f"a daemon (pid {pid}) has {state}: it begins just now, answers at another socket, or"
            " hangs",
            f"kill {pid}; taskd start",
        )


def _holder(state: Path) -> int | None:
    try:
        lock = os.open(state / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return int(os.pread(lock, 32, 0))
    finally:
        os.close(lock)


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
