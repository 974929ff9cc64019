"""Delivers a notice: runs its program to the end, or kills it when its time is up."""

import os
import select
import signal
import subprocess
import time

from taskd.engine.notice import Notice, one_line
from taskd.executors.bare_python import in_memory
from taskd.executors.descriptors import limit_as_given
from taskd.executors.environment import home

MAX_SAID = 4096  # bytes of what it says of a failure
_CHUNK = 64 * 1024


class Undelivered(Exception):
    """With the reason."""


def deliver(notice: Notice, stop: int) -> None:
    """Returns when its program has ended well; it is killed once `stop` can be read.

    Raises Undelivered.
    """
    process = _start(notice)
    try:
        said = _follow(process, stop, notice.seconds)
    except BaseException:  # whatever ends us ends its program, too
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        status = process.wait()
        assert process.stderr
        process.stderr.close()
    if status != 0:
        how = f"exit status {status}" if status > 0 else f"killed by signal {-status}"
        raise Undelivered(f"{how}: {said}" if said else how)


def _start(notice: Notice) -> subprocess.Popen[bytes]:
    """A file as its input takes any length, also of a program that reads nothing."""
    try:
        with open(in_memory(notice.text), "rb") as text:
            process = subprocess.Popen(
                notice.arguments,
                env=notice.environment,
                cwd=home(),
                stdin=text,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                umask=0o022,
                start_new_session=True,
            )
    except OSError as error:
        raise Undelivered(f"cannot run {notice.arguments[0]}: {error.strerror}") from None
    limit_as_given(process.pid)
    return process


def _follow(process: subprocess.Popen[bytes], stop: int, seconds: float) -> str:
    """The first line that it says on stderr, when it has ended. Raises Undelivered."""
    assert process.stderr
    errors, said = process.stderr.fileno(), b""
    deadline = time.monotonic() + seconds
    with open(os.pidfd_open(process.pid)) as end:
        poll = select.poll()
        for descriptor in (stop, errors, end.fileno()):
            poll.register(descriptor, select.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            ready = {descriptor for descriptor, _ in poll.poll(left * 1000)}
            if stop in ready:
                raise Undelivered("the daemon or its rule went away meanwhile")
            if errors in ready:
                if not (chunk := os.read(errors, _CHUNK)):
                    poll.unregister(errors)
                said = (said + chunk)[:MAX_SAID]
            elif ready:
                return _first_line(said)
    raise Undelivered(f"it took longer than {seconds:g} s")


def _first_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return one_line(lines[0]) if lines else ""
