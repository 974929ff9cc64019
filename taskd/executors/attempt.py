"""An attempt of a shell step: a folder that outlives the daemon, as its supervisor does.

alive     locked while the supervisor lives     free and exit               it has ended
begun     the supervisor's pid                  free and begun, no exit     unknown
exit      how the command ended                 free and neither            it never ran
input.json  output  progress                    what $TASKD_INPUT, … name
trouble   what the supervisor itself had to say, normally nothing
"""

import contextlib
import marshal
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from taskd.executors import alive
from taskd.executors.bare_python import bare_python, in_memory
from taskd.executors.base import Call, Interrupted, NeverRan, Outcome
from taskd.executors.descriptors import limit_as_given
from taskd.executors.environment import arguments_of, cwd_of, environment_of, input_file
from taskd.executors.exit_record import outcome
from taskd.executors.killing import kill_orphans, kill_whole, mark_of
from taskd.model.definition import Command

# Bytes for what the supervisor writes, taken beforehand: the disk may be full when it ends.
ROOM = {"begun": 4096, "exit": 64 * 1024}

_SHIM = bare_python("taskd.executors.shim")


@dataclass(frozen=True)
class Running:
    """`pid` is the supervisor's; None until it is known."""

    pid: int | None


def begin(folder: Path, call: Call) -> subprocess.Popen[bytes]:
    """Start the supervisor of `call`, whose command is set. Its end is the attempt's end.

    Raises OSError when it cannot be started; then the attempt never ran.
    """
    assert call.command
    folder = folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(folder / "input.json", input_file(call))
    for name in ("output", "progress"):
        _write(folder / name, b"")
    for name, size in ROOM.items():
        _take_room(folder / f"{name}.new", size)
    Path(call.log).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    spec = in_memory(_spec(folder, call, call.command))
    lock = alive.hold(folder)
    try:
        return _start(folder, lock, spec)
    finally:
        os.close(lock)
        os.close(spec)


def examine(folder: Path) -> Running | Outcome:
    """Whether the attempt still runs, or what became of it.

    Interrupted: nobody knows, and what was left of it is dead now.
    """
    if alive.is_held(folder):
        return Running(_read_pid(folder))
    if (folder / "exit").exists():
        return outcome(folder)
    if (folder / "begun").exists():
        kill_orphans(folder)
        return Interrupted("the supervisor of the command died, and it was killed")
    return NeverRan()


def open_supervisor(folder: Path) -> int | None:
    """A pidfd of the supervisor, to wait for or to signal; None when it has ended or not begun."""
    pid = _read_pid(folder)
    return None if pid is None else alive.open_process(folder, pid)


def tell_to_end(folder: Path, *, force: bool = False) -> bool:
    """Have the supervisor end the command's whole tree, after its grace or, by `force`, now.

    False when there is none to tell: it has ended, or has not begun yet.
    """
    descriptor = open_supervisor(folder)
    if descriptor is None:
        return False
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGINT if force else signal.SIGTERM)
        signal.pidfd_send_signal(descriptor, signal.SIGCONT)  # the command may have stopped it
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def wake(folder: Path) -> None:
    """Let a supervisor go on that was stopped. Raises OSError."""
    if (descriptor := open_supervisor(folder)) is not None:
        with os.fdopen(descriptor), contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGCONT)


def kill(folder: Path) -> None:
    """The supervisor and all below it. Raises OSError."""
    if (descriptor := open_supervisor(folder)) is not None:
        with os.fdopen(descriptor), contextlib.suppress(ProcessLookupError):
            pid = _read_pid(folder)
            assert pid is not None
            kill_whole(pid, partial(signal.pidfd_send_signal, descriptor))


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _spec(folder: Path, call: Call, command: Command) -> bytes:
    """What the shim's `supervise` takes. Bytes, since the shim knows no encoding."""
    return marshal.dumps(
        {
            "arguments": arguments_of(command),
            "cwd": cwd_of(command),
            "environment": environment_of(call, command, folder),
            "log": os.fsencode(call.log),
            "log_limit": call.log_limit,
            "secrets": tuple(call.secrets),
            "timeout": call.timeout,
            "grace": call.cancel_grace,
            "mark": mark_of(folder),
        }
    )


def _start(folder: Path, lock: int, spec: int) -> subprocess.Popen[bytes]:
    with open(folder / "trouble", "wb") as trouble:
        supervisor = subprocess.Popen(
            [*_SHIM, str(folder), str(lock)],
            stdin=spec,
            stdout=subprocess.DEVNULL,
            stderr=trouble,
            pass_fds=[lock],
            start_new_session=True,
            cwd="/",
        )
    limit_as_given(supervisor.pid)
    return supervisor


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


def _take_room(path: Path, size: int) -> None:
    _write(path, b"")
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def _read_pid(folder: Path) -> int | None:
    try:
        return int((folder / "begun").read_bytes())
    except (FileNotFoundError, ValueError):
        return None
