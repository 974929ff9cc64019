"""Kills a process with all that it has started, also where the process itself is dead already.

Then parenthood tells nothing any more, and sessions, groups and environments are left at will. What
stays is a limit: a process inherits it and may not raise it. So each host and supervisor has one of
its own, so high that it limits nothing: it is the mark of all that is started there.
"""

import hashlib
import logging
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from taskd.executors.tree import kill_tree

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds that a killed process has to be gone
_ROUNDS = 50  # of killing a tree that grows
_HIGHEST = 1 << 62  # microseconds of real-time work without a pause
_MARKS = 1 << 48  # so many different ones, and thousands of times as many below each other


def kill_whole(pid: int, send: Callable[[int], object]) -> None:
    """Kill a host and all below it. Stopped first: were it dead, they would have other parents."""
    send(signal.SIGSTOP)
    for _ in range(_ROUNDS):
        if not kill_tree(pid, signal.SIGKILL):
            break
    send(signal.SIGKILL)


def mark_of(folder: Path) -> int:
    """The limit for a child of this process that is to be the host or supervisor of `folder`."""
    _, own = resource.getrlimit(resource.RLIMIT_RTTIME)
    highest = _HIGHEST if own == resource.RLIM_INFINITY else own
    mark = highest - (highest - _number(folder)) % _MARKS
    return mark if mark > 0 else own  # who has so low a limit goes without


def kill_orphans(folder: Path) -> None:
    """Kill what the host or supervisor of `folder`, which is dead, has left; wait until it is.

    Raises OSError where there are no descriptors to find it.
    """
    number = _number(folder)
    deadline = time.monotonic() + PATIENCE
    seen_none = 0
    while seen_none < 2:  # while it looked, one may have forked and ended
        found = [pid for pid in _marked(number) if _kill(pid, number)]
        seen_none = 0 if found else seen_none + 1
        if time.monotonic() > deadline:
            log.warning("cannot kill what %s has left: %s", folder, found)
            return
        time.sleep(0.005)


def _number(folder: Path) -> int:
    """What is the same in all marks of the folder, whatever limit they are below."""
    name = os.fsencode(folder.absolute())
    return int.from_bytes(hashlib.blake2b(name, digest_size=6).digest())


def _marked(number: int) -> list[int]:
    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    return [pid for pid in pids if _has(pid, number) and pid != os.getpid()]


def _has(pid: int, number: int) -> bool:
    try:
        _, limit = resource.prlimit(pid, resource.RLIMIT_RTTIME)
    except (ProcessLookupError, PermissionError):  # it has ended, or is another user's
        return False
    return limit % _MARKS == number


def _kill(pid: int, number: int) -> bool:
    """False: it is dead already."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        # It could be another one that got its number, or nobody has waited for it yet.
        if not _has(pid, number) or _has_ended(handle):
            return False
        kill_whole(pid, partial(signal.pidfd_send_signal, handle))
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)


def _has_ended(handle: int) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(0))
