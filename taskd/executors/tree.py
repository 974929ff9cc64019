"""The processes below a process, and signals to all of them.

They are found by parenthood: process groups and sessions are left at will, parents are not. Below a
subreaper nothing gets lost, not even daemons that forked twice.
"""

import os

from taskd.executors.kernel import signal

_HAS_ENDED = (FileNotFoundError, ProcessLookupError, PermissionError)  # or is another user's now


def descendants(pid: int) -> list[int]:
    """All below `pid`, parents first; some may be dead and not yet waited for."""
    found = [pid]
    for process in found:
        found += _children(process)
    return found[1:]


def kill_tree(pid: int, number: int) -> int:
    """Signal all that live below `pid`, but not `pid` itself; how many they were.

    A tree that grows meanwhile, or has more processes than there are descriptors, needs another
    round. Raises OSError where there is none at all.
    """
    tree = descendants(pid)
    parents = {pid, *tree}
    handles: list[int] = []
    # All are opened before any is signalled: the children of one that ends have another parent.
    try:
        for process in tree:
            if (handle := _open(process, parents)) is not None:
                handles.append(handle)
    except OSError:
        if not handles:
            raise
    return sum([_send(handle, number) for handle in handles])


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                children += map(int, file.read().split())
    except _HAS_ENDED:  # or one of its threads
        pass
    return children


def _open(pid: int, parents: set[int]) -> int | None:
    """A pidfd of `pid` if it lives. A new process that got its number has another parent."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    meant = False
    try:
        meant = _lives_below(parents, pid)
    finally:
        if not meant:
            os.close(handle)
    return handle if meant else None


def _send(handle: int, number: int) -> bool:
    try:
        signal.pidfd_send_signal(handle, number)
    except OSError:  # it has ended, or became another user's
        return False
    finally:
        os.close(handle)
    return True


def _lives_below(parents: set[int], pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, parent = file.read().rpartition(b")")[2].split()[:2]
    except _HAS_ENDED:
        return False
    return state != b"Z" and int(parent) in parents
