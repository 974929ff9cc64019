"""A daemon in the background, and word of whether it came up.

    taskd start ── spawns ──► taskd run --ready-fd N ── detaches ──► the daemon
         ▲                                                              │
         └───────────── one line in a pipe: ready, or the error ◄───────┘

Two commands, because entering a `DaemonContext` ends the calling process at once.
"""

import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from taskd import wire
from taskd.model.errors import Busy, StoreError, TaskdError
from taskd.places import Places

READY = b"ready\n"
PATIENCE = 60.0


def start(places: Places) -> None:
    """Returns once a new daemon answers. Raises what kept it from that."""
    reader, writer = os.pipe()
    with open(reader, "rb") as pipe:
        try:
            _spawn(places, writer)
        finally:
            os.close(writer)
        _expect_ready(pipe, places.log)


def become_daemon(serve: Callable[[int], int], ready_fd: int) -> int:
    """Leave the terminal, then `serve`, which writes `READY` to the descriptor it is given.

    The caller's umask stays, since steps make files as their user would. No signal is ignored and
    core files are not forbidden, since what runs in the background inherits both.
    """
    from daemon import DaemonContext  # slow to load, and only needed here

    os.set_inheritable(ready_fd, False)
    umask = os.umask(0)
    context = DaemonContext(
        umask=umask,
        files_preserve=[ready_fd],
        stdout=sys.stdout,
        stderr=sys.stderr,
        signal_map={},
        prevent_core=False,
        detach_process=True,
    )
    with context, open(ready_fd, "wb", buffering=0) as pipe:
        try:
            return serve(os.dup(ready_fd))
        except TaskdError as error:
            with contextlib.suppress(BrokenPipeError):  # it was ready; nobody listens any more
                pipe.write(wire.failure(None, error))
            raise


def _spawn(places: Places, writer: int) -> None:
    """Returns when the child has detached: the daemon is its grandchild."""
    command = [sys.executable, "-P", "-m", "taskd", "run", "--ready-fd", str(writer)]
    command += ["--config", str(places.config), "--state-dir", str(places.state)]
    command += ["--socket", str(places.socket)]
    with _open_log(places.log) as log:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writer],
            check=False,
        )


def _open_log(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "wb")
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from None


def _expect_ready(pipe: IO[bytes], log: Path) -> None:
    if not select.select([pipe], [], [], PATIENCE)[0]:
        raise Busy(f"the daemon is still starting after {PATIENCE:g} s", hint=f"tail {log}")
    line = pipe.readline()
    if not line:
        raise TaskdError("the daemon ended before it was ready", hint=f"tail {log}")
    if line != READY:
        raise wire.error_from(wire.loads(line)["error"])
