"""What the kernel does for processes, without modules that take as long to load as Python to start.

A bare Python starts in 10 ms; `signal` takes 8 more and `ctypes` 7. What they are made of does not.
"""

import _ctypes
import resource

signal = __import__("_signal")

_prctl_address = _ctypes.dlsym(_ctypes.dlopen("", 2), "prctl")
_PARENT_DEATH_SIGNAL, _CHILD_SUBREAPER = 1, 36


def die_with_parent() -> None:
    """SIGKILL to this process when the thread that forked it ends."""
    _prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def adopt_orphans() -> None:
    """What is below this process stays below it, also where a process between them ends."""
    _prctl(_CHILD_SUBREAPER, 1)


def mark(number: int) -> None:
    """This process, and for ever all that it starts: see `killing.py`."""
    resource.setrlimit(resource.RLIMIT_RTTIME, (number, number))


def forget_signals() -> None:
    """Let every signal do what it does by default, and none be blocked."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _prctl(option: int, value: int) -> None:
    if _ctypes.call_function(_prctl_address, (option, value, 0, 0, 0)) != 0:
        raise OSError(f"prctl {option} was refused")
