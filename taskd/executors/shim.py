"""The supervisor of one command: it outlives the daemon and leaves, in a folder, how it ended.

    stdin        the spec: what to run and how, so that secrets are on no disk and in no argument
    FOLDER/alive its lock, held by an inherited descriptor for as long as this process lives
    FOLDER/begun its pid, written before the command starts: from here on it may have done something
    FOLDER/exit  the exit record

SIGTERM ends the whole process tree with a grace, SIGINT without. It starts for every shell step, so
what it imports, and what that imports, must load in a millisecond or two.
"""

import marshal
import os
import sys
from _json import encode_basestring_ascii, make_encoder
from time import monotonic, sleep, time

from taskd.executors import kernel
from taskd.executors.kernel import signal
from taskd.executors.launch import CannotStart, Started, launch
from taskd.executors.pump import Pump
from taskd.executors.tree import descendants, kill_tree
from taskd.logs.mask import Mask
from taskd.logs.writer import LogWriter

ROUND = 0.05  # seconds between two rounds of SIGKILL
ENOUGH = 2 << 20  # bytes; an output may have half of it
LONGEST = 86400.0  # seconds that it sleeps at once; the kernel takes less than 25 days


class CannotBegin(Exception):
    """Not now: it has not begun."""


class Requests:
    """What signals asked for. `wake` can be read when one came, SIGCHLD included."""

    def __init__(self) -> None:
        self.cancel = False
        self.force = False
        self.wake, theirs = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(theirs, False)
        signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: object) -> None:
        self.cancel = self.cancel or number != signal.SIGCHLD
        self.force = self.force or number == signal.SIGINT


class Supervisor:
    """Sees one command through to its end, or ends it."""

    def __init__(
        self, command: Started, pump: Pump, requests: Requests, timeout: float | None, grace: float
    ) -> None:
        self._command = command
        self._pump = pump
        self._requests = requests
        self._grace = grace
        self._deadline = None if timeout is None else monotonic() + timeout
        self._ending = ""  # why it is being ended: cancelled, timed_out
        self._status: int | None = None  # as waitpid gives it

    def run(self) -> None:
        self._pump.add("stdout", self._command.stdout)
        self._pump.add("stderr", self._command.stderr)
        while self._status is None or (self._ending and descendants(os.getpid())):
            self._pump.wait(self._patience())
            self._reap()  # first: what has ended by itself was neither cancelled nor timed out
            if self._status is None or self._ending:
                self._end_if_told()
        self._pump.drain()

    def result(self) -> dict[str, object]:
        """The part of the exit record that says how the command ended."""
        code = os.waitstatus_to_exitcode(self._status or 0)
        how = {"signal": -code} if code < 0 else {"status": code}
        why = {reason: self._ending == reason for reason in ("cancelled", "timed_out")}
        return {**how, **why}

    def _patience(self) -> float | None:
        if self._deadline is None:
            return None
        left = self._deadline - monotonic()
        return min(LONGEST, max(left, ROUND if self._ending else 0.0))

    def _reap(self) -> None:
        """Take the status of the command, and of orphans that came to this process."""
        try:
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                if ended[0] == self._command.pid:
                    self._status = ended[1]
        except ChildProcessError:
            return

    def _end_if_told(self) -> None:
        if not self._ending and (self._requests.cancel or self._late()):
            self._ending = "cancelled" if self._requests.cancel else "timed_out"
            self._deadline = monotonic() + self._grace
            kill_tree(os.getpid(), signal.SIGTERM)
            kill_tree(os.getpid(), signal.SIGCONT)  # what is frozen must wake to end
        if self._ending and self._requests.force:
            self._deadline = monotonic()
        if self._ending and self._late():
            kill_tree(os.getpid(), signal.SIGKILL)

    def _late(self) -> bool:
        return self._deadline is not None and monotonic() >= self._deadline


def main() -> None:
    lock = int(sys.argv[3])
    folder = os.open(sys.argv[2], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)  # it may be moved
    os.set_inheritable(lock, False)
    kernel.adopt_orphans()
    requests = Requests()
    spec = marshal.loads(sys.stdin.buffer.read())
    _close_stdin()
    kernel.mark(spec.pop("mark"))
    _put(folder, b"begun", b"%d\n" % os.getpid())
    try:
        record = supervise(requests, **spec)
    except CannotBegin:
        os.unlink(b"begun", dir_fd=folder)
        raise
    _leave(folder, record, spec["secrets"], requests)
    os._exit(0)


def supervise(
    requests: Requests,
    *,
    arguments: list[bytes],
    cwd: bytes,
    environment: dict[bytes, bytes],
    log: bytes,
    log_limit: int,
    secrets: tuple[str, ...],
    timeout: float | None,
    grace: float,
) -> dict[str, object]:
    """Run the command of a spec; the exit record. The keywords are what a spec holds.

    Raises CannotBegin.
    """
    writer = LogWriter(log, log_limit, secrets)
    pump = Pump(writer, requests.wake)
    record: dict[str, object] = {"status": None, "signal": None}
    try:
        command = launch(arguments, cwd, environment)
    except CannotStart as error:
        record |= {"status": error.status, "error": error.message}
    except OSError as error:
        raise CannotBegin from error
    else:
        supervisor = Supervisor(command, pump, requests, timeout, grace)
        supervisor.run()
        record |= supervisor.result()
    writer.close()
    return record | {
        "timeout": timeout,
        "last_line": pump.last_line.text(),
        "stderr": pump.last_errors.lines(),
        "cut": writer.cut,
        "log_error": writer.error,
        "ended_at": time(),
    }


def _hide(folder: int, secrets: tuple[str, ...]) -> None:
    """In the file that `$TASKD_OUTPUT` names, since what it holds is stored."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with open(os.open(b"output", flags, dir_fd=folder), "rb") as file:
            text = file.read(ENOUGH) or b""
    except OSError:  # it is no plain file, and nobody reads it
        return
    if not text:
        return  # as mostly; to write it again may need room
    mask = Mask(secrets)
    _put(folder, b"output", mask.feed(text) + mask.end())


def _close_stdin() -> None:
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 0, inheritable=True)
    os.close(nothing)


def _leave(
    folder: int, record: dict[str, object], secrets: tuple[str, ...], requests: Requests
) -> None:
    """The record, however long the disk is full; without the folder nobody wants it.

    Who tells the command to end does not wait for that: all but what it printed fits into the room
    that was taken.
    """
    short = record | {"cancelled": True, "last_line": None, "stderr": []}
    while True:
        try:
            if secrets:
                _hide(folder, secrets)
            return _put(folder, b"exit", _json(record))
        except FileNotFoundError:
            return None
        except OSError:
            if requests.cancel and record is not short:
                record, secrets = short, ()
            else:
                sleep(1)


def _put(folder: int, name: bytes, content: bytes) -> None:
    """Write a file of the folder, whole or not at all, so that a power cut leaves it there.

    Where room was taken for it, that is used.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
    with open(os.open(name + b".new", flags, 0o600, dir_fd=folder), "wb") as file:
        file.write(content)
        file.truncate()
        os.fsync(file.fileno())
    os.rename(name + b".new", name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def _json(record: dict[str, object]) -> bytes:
    """What `json.dumps` gives; importing `json` takes 15 ms."""
    encode = make_encoder(
        None, repr, encode_basestring_ascii, None, ": ", ", ", False, False, False
    )
    return "".join(encode(record, 0)).encode()
