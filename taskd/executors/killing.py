"""Kills a process with all that it has started, also where the process itself is dead already.

Then parenthood tells nothing any more. But what a host or a supervisor starts inherits a variable
that names its folder; only what wiped its environment is not found by that.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from taskd.executors.tree import kill_tree

log = logging.getLogger(__name__)

MARK = "TASKD_FOLDER"
PATIENCE = 1.0  # seconds that a killed process has to be gone
_ROUNDS = 50  # of killing a tree that grows


def kill_whole(pid: int, send: Callable[[int], object]) -> None:
    """Kill a host and all below it. Stopped first: were it dead, they would have other parents."""
    send(signal.SIGSTOP)
    for _ in range(_ROUNDS):
        if not kill_tree(pid, signal.SIGKILL):
            break
    send(signal.SIGKILL)


def kill_orphans(folder: Path) -> None:
    """Kill what the host or supervisor of `folder`, which is dead, has left; wait until it is.

    Raises OSError where there are no descriptors to find it.
    """
    mark = os.fsencode(f"{MARK}={folder.absolute()}")
    deadline = time.monotonic() + PATIENCE
    seen_none = 0
    while seen_none < 2:  # one that is just starting a program has no environment for a moment
        found = _marked(mark)
        seen_none = 0 if found else seen_none + 1
        for pid in found:
            _kill(pid, mark)
        if time.monotonic() > deadline:
            log.warning("cannot kill what %s has left: %s", folder, found)
            return
        time.sleep(0.005)


def _marked(mark: bytes) -> list[int]:
    me = str(os.getpid())
    return [
        int(name)
        for name in os.listdir("/proc")
        if name.isdecimal() and name != me and _has(name, mark)
    ]


def _has(pid: int | str, mark: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return mark in file.read().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # ended, or another user's
        return False


def _kill(pid: int, mark: bytes) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if _has(pid, mark):  # rather than another one that got its number
            kill_whole(pid, partial(signal.pidfd_send_signal, handle))
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
