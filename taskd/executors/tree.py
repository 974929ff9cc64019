"""The processes below a process, and signals to all of them.

They are found by parenthood: process groups and sessions are left at will, parents are not. Below a
subreaper nothing gets lost, not even daemons that forked twice.
"""

import os

from taskd.executors.kernel import signal


def descendants(pid: int) -> list[int]:
    """All below `pid`, parents first; some may be dead and not yet waited for."""
    found = [pid]
    for process in found:
        found += _children(process)
    return found[1:]


def kill_tree(pid: int, number: int) -> int:
    """Signal all that live below `pid`, but not `pid` itself; how many they were.

    A tree that grows meanwhile needs another round.
    """
    tree = descendants(pid)
    members = {pid, *tree}
    return sum(_send(process, number, members) for process in tree)


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                children += map(int, file.read().split())
    except OSError:  # it, or one of its threads, has ended
        pass
    return children


def _send(pid: int, number: int, parents: set[int]) -> bool:
    """Signal `pid` if it lives. A new process that got its number has another parent."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        state, parent = _state_and_parent(pid)
        if state == b"Z" or parent not in parents:
            return False
        signal.pidfd_send_signal(descriptor, number)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _state_and_parent(pid: int) -> tuple[bytes, int]:
    with open(f"/proc/{pid}/stat", "rb") as file:
        state, parent = file.read().rpartition(b")")[2].split()[:2]
    return state, int(parent)
