"""One host as the daemon sees it: its process, its socket, and the calls that it was given.

A host is at the first of its calls. More are sent ahead only of steps that are known to be quick;
should one take long all the same, the rest is recalled (`recall`) and given to other hosts.
"""

import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from taskd import quick_json, wire
from taskd.executors import alive, record
from taskd.executors.base import (
    Call,
    Cancelled,
    Delegated,
    Failure,
    Interrupted,
    NeverRan,
    Outcome,
    Planned,
    Progress,
    Snoozed,
    Success,
    as_told,
    timed_out,
)
from taskd.executors.descriptors import limit_as_given
from taskd.executors.killing import kill_orphans, kill_whole, mark_of
from taskd.executors.shortage import insist
from taskd.loop import READ, WRITE, Loop, Timer
from taskd.model.errors import ProtocolError

log = logging.getLogger(__name__)

PATIENCE = 0.25  # seconds that a step may hold up those behind it
_ROOM_FOR_PID = b" " * 16  # which the host writes there
_OUTCOMES = {
    kind.__name__: kind
    for kind in (Success, Failure, Planned, Snoozed, Delegated, Cancelled, NeverRan)
}
_NONSENSE = (
    ValueError, TypeError, LookupError, AttributeError, RecursionError, ProtocolError
)  # fmt: skip
_CONFUSED = Interrupted("its host was killed: something else was written to where it answers")


class Owner(Protocol):
    """Who is told what became of the calls of a host, and that it has ended."""

    loop: Loop
    talking: set["HostLink"]  # have something to send

    def ended(self, host: "HostLink", call: Call, outcome: Outcome, seconds: float) -> None: ...
    def progressed(self, call: Call, progress: Progress) -> None: ...
    def held_up(self, call: Call) -> None: ...
    def given_back(self, calls: list[Call]) -> None: ...
    def lost(self, host: "HostLink") -> None: ...


class HostLink:
    def __init__(self, owner: Owner, folder: Path, command: list[str]) -> None:
        self.folder = folder
        self.calls: deque[Call] = deque()
        self.unsettled: set[int] = set()
        self.stale = False  # gets no further call
        self.warm = False  # it is ready for calls
        self.idle_since = time.monotonic()
        self._owner = owner
        self._settled: list[int] = []  # to be told with the next call
        self._ending: Outcome | None = None  # what the first call's outcome is, now it was told
        self._timers: list[Timer] = []
        self._checked: Call | None = None  # the first call when the host was last looked at
        self._incoming = b""
        self._confused = False  # is not listened to any more
        self._outgoing = bytearray()
        self._blocked = False  # the rest of `_outgoing` waits until it can be written
        with contextlib.ExitStack() as undo:  # where it cannot be started now
            folder.mkdir(mode=0o700, parents=True)
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
            record.make(folder / "state")
            (folder / "pid").write_bytes(_ROOM_FOR_PID)
            self._socket, theirs = socket.socketpair()
            undo.callback(self._socket.close)
            undo.callback(theirs.close)
            self._process = _spawn(folder, command, theirs)
            undo.callback(self._process.wait)
            undo.callback(self._process.kill)
            limit_as_given(self._process.pid)
            self._pidfd = os.pidfd_open(self._process.pid)
            undo.pop_all()
        self._socket.setblocking(False)
        owner.loop.watch(self._pidfd, lambda _: self._ended())
        owner.loop.watch(self._socket.fileno(), self._event)

    # What it is told

    def run(self, call: Call) -> None:
        self.calls.append(call)
        self.unsettled.add(call.id)
        if self._settled:
            self._outgoing += b'{"settled":%r}\n' % self._settled  # as JSON writes whole numbers
            self._settled = []
        self._outgoing += quick_json.dumps(call.__dict__) + b"\n"
        self._owner.talking.add(self)
        if len(self.calls) == 1:
            if self.warm:
                self._start_clock()
        elif self._checked is None:
            self._check_later()

    def cancel(self, call_id: int, *, force: bool) -> None:
        """End the call if it is at hand; if it has not begun, it is given back."""
        at_hand = self.recall()
        while self._read():  # what came before it has answered
            pass
        if self.calls and self.calls[0].id == call_id == at_hand:
            self.interrupt(Cancelled(), force=force)

    def interrupt(self, outcome: Outcome, *, force: bool = False) -> None:
        """Tell the step at hand; after its grace kill the host with what it started."""
        self.stale = True
        self._ending = self._ending or outcome
        if force or not self.warm:
            self.kill()
        else:
            self._process.send_signal(signal.SIGUSR1)
            self._after(self.calls[0].cancel_grace, self.kill)

    def recall(self) -> int | None:
        """Take back what it has not begun; the call at hand. It gets no further one, and ends.

        Raises OSError in a shortage; nothing is taken back then.
        """
        if len(self.calls) < 2:
            return self.calls[0].id if self.calls else None
        self.stale = True
        begun = self._close()
        back = [call for call in self.calls if call.id not in begun]
        self.calls = deque(call for call in self.calls if call.id in begun)
        self.unsettled -= {call.id for call in back}
        self._owner.given_back(back)
        return begun[0] if begun else None

    def _close(self) -> list[int]:
        """It begins no further call. Those that it has begun; all, where nobody can tell."""
        begun = record.close(self.folder / "state")
        return [call.id for call in self.calls] if begun is None else begun

    def kill(self) -> None:
        insist(self._owner.loop, self._kill)

    def _kill(self) -> None:
        if self._process.poll() is None:
            kill_whole(self._process.pid, self._process.send_signal)

    def settle(self, call_id: int) -> None:
        self.unsettled.discard(call_id)
        self._settled.append(call_id)

    def end(self) -> None:
        """Let it end by itself; it is idle."""
        self.stale = True
        self._outgoing += quick_json.dumps({"settled": self._settled, "end": True}) + b"\n"
        self._owner.talking.add(self)

    # What it says

    def _event(self, events: int) -> None:
        if events & WRITE:
            self.flush()
        if events & ~WRITE:
            self._read()

    def _read(self) -> bool:
        """Whether there may be more."""
        try:
            data = self._socket.recv(1 << 18)
        except OSError:
            return False
        if not data:
            self._owner.loop.forget(self._socket.fileno())
            return False
        *lines, self._incoming = (self._incoming + data).split(b"\n")
        for line in lines:
            if not self._confused:
                self._take(line)
        return True

    def _take(self, line: bytes) -> None:
        try:
            word, seconds = _read_word(line)
        except _NONSENSE:
            self._give_up()
            return
        if word is None:
            self.warm = True
            if self.calls:
                self._start_clock()
        elif not self.calls:
            self._give_up()
        elif isinstance(word, Progress):
            self._owner.progressed(self.calls[0], word)
        else:
            self._finish(word, seconds)

    def _give_up(self) -> None:
        """Somebody else has written to its socket, and what it says itself may be lost."""
        log.error("the host of a step was killed: what it said is no message of a host")
        self._confused = self.stale = True
        self._ending = self._ending or _CONFUSED
        self.kill()

    def _finish(self, outcome: Outcome, seconds: float) -> None:
        call = self.calls.popleft()
        outcome = as_told(self._ending, outcome)
        self._ending = None
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.idle_since = time.monotonic()
        if self.calls:
            self._start_clock()
        self._owner.ended(self, call, outcome, seconds)

    def _ended(self) -> None:
        """The process is gone, by itself or killed."""
        while self._read():
            pass
        self._owner.loop.forget(self._pidfd)
        self._owner.loop.forget(self._socket.fileno())
        os.close(self._pidfd)
        self._socket.close()
        insist(self._owner.loop, self._bury)

    def _bury(self) -> None:
        """Give account of its calls. What may fail in a shortage comes first."""
        begun = self._close()
        back = [call for call in self.calls if call.id not in begun]
        at_work = len(self.calls) - len(back)
        if at_work:
            kill_orphans(self.folder)
        status = self._process.wait()
        self._owner.lost(self)
        for _ in range(at_work):  # they come first
            self._finish(Interrupted(_how_it_died(status)), 0.0)
        if back and not at_work and self._ending:
            self._finish(NeverRan(), 0.0)  # told to end before it began
            del back[0]
        self.calls.clear()
        if back:
            self.unsettled -= {call.id for call in back}
            self._owner.given_back(back)

    # Time

    def _start_clock(self) -> None:
        call = self.calls[0]
        if call.timeout is not None:
            outcome = timed_out(call.timeout)
            self._after(call.timeout, lambda: self.interrupt(outcome))

    def _after(self, seconds: float, function: Callable[[], object]) -> None:
        self._timers.append(self._owner.loop.later(seconds, function))

    def _check_later(self) -> None:
        self._checked = self.calls[0]
        self._owner.loop.later(PATIENCE, self._check)

    def _check(self) -> None:
        """Whether the step that it was at is still in the way of others."""
        held_up = len(self.calls) > 1 and self.calls[0] is self._checked
        self._checked = None
        if held_up:
            self._owner.held_up(self.calls[0])
            insist(self._owner.loop, self.recall)
        elif len(self.calls) > 1:
            self._check_later()

    def flush(self) -> None:
        """Send what it was told, as much as it takes now."""
        try:
            sent = self._socket.send(self._outgoing)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # it is dead; the pidfd tells
        del self._outgoing[:sent]
        if bool(self._outgoing) != self._blocked:
            self._blocked = not self._blocked
            events = READ | WRITE if self._blocked else READ
            self._owner.loop.change(self._socket.fileno(), events)


def _read_word(line: bytes) -> tuple[Outcome | Progress | None, float]:
    """What a host said, and how long what has ended took; None: it is ready."""
    message = quick_json.loads(line)
    if "ready" in message:
        return None, 0.0
    if "progress" in message:
        return Progress(*message["progress"]), 0.0
    if "external_id" in message:
        return Progress(None, external_id=message["external_id"]), 0.0
    return read_outcome(message), message["seconds"]


def read_outcome(message: dict[str, Any]) -> Outcome:
    kind: Any = _OUTCOMES[message["outcome"]]
    if kind is Success:
        return Success(message["value"]["output"])
    outcome: Outcome = wire.decode(kind, message["value"])
    return outcome


def _spawn(folder: Path, command: list[str], connection: socket.socket) -> subprocess.Popen[bytes]:
    lock = alive.hold(folder)
    descriptors = (lock, connection.fileno())
    try:
        return subprocess.Popen(
            [*command, str(folder), *map(str, descriptors), str(mark_of(folder))],
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd=Path.home(),
        )
    finally:
        os.close(lock)
        connection.close()


def _how_it_died(status: int) -> str:
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    return f"the process that ran it {how} before the step returned"
