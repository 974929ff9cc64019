"""How many descriptors a process may have: the daemon more than it was given, its steps as many.

A program that uses `select` fails at more than 1024, which is why that is the usual limit.
"""

import contextlib
import resource

MOST = 4096  # of the daemon, where it may have them
OWN = 128  # that it keeps for itself: clients get what is above

_GIVEN = resource.getrlimit(resource.RLIMIT_NOFILE)


def raise_limit() -> None:
    soft, hard = _GIVEN
    wanted = MOST if hard == resource.RLIM_INFINITY else min(MOST, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def limit_as_given(pid: int) -> None:
    """A child, which has inherited what was raised."""
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, _GIVEN)


def first_too_many() -> int:
    """The number of a descriptor from which on no client gets one."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft - min(OWN, soft // 2)
