"""A lock that a process holds for its whole life: how a restarted daemon knows that it lives.

The daemon takes the lock on FOLDER/alive and lets the child inherit the descriptor. The kernel
frees it when the last process that has it ends, at a reboot too; no pid or start time decides.
"""

import fcntl
import os
from pathlib import Path


def hold(folder: Path) -> int:
    """A descriptor with the lock of `folder`, to be inherited by the one child that it is for."""
    descriptor = os.open(folder / "alive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def is_held(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / "alive", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # who looks is in nobody's way
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def open_process(folder: Path, pid: int) -> int | None:
    """A pidfd of `pid`, which held the lock of `folder` when it was opened; else None.

    The pid could be another process's by then, but not while the lock is still held.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    held = False
    try:
        held = is_held(folder)
    finally:
        if not held:
            os.close(descriptor)
    return descriptor if held else None
