"""Hosts: warm child processes that run Python steps, each one call at a time.

All of it runs in the daemon's loop. A host that was killed, crashed or left by `os._exit` hurts only
its own call; new code means new hosts; idle ones end after a while.
"""

import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from taskd import wire
from taskd.executors import alive
from taskd.executors.base import (
    Call,
    Cancelled,
    Failure,
    Found,
    Interrupted,
    NeverRan,
    Outcome,
    Planned,
    Progress,
    Report,
    Success,
)
from taskd.executors.host import Record
from taskd.executors.tree import kill_tree
from taskd.loop import READ, WRITE, Loop, Timer
from taskd.model.step import StepError

log = logging.getLogger(__name__)

_OUTCOMES = {kind.__name__: kind for kind in (Success, Failure, Planned, Cancelled, NeverRan)}
MAX_FAILED_STARTS = 3


class Host:
    """One host as the daemon sees it. `call` is the one that it is at."""

    def __init__(self, hosts: "Hosts", folder: Path, command: list[str]) -> None:
        self.hosts = hosts
        self.folder = folder
        self.call: Call | None = None
        self.unsettled: set[int] = set()
        self.settled: list[int] = []  # to be told with the next call
        self.stale = False
        self.ending: Outcome | None = None  # what the call's outcome is once the host was killed
        self.idle_since = time.monotonic()
        self.timers: list[Timer] = []
        self._incoming = b""
        self._outgoing = b""
        self._blocked = False  # the rest of `_outgoing` waits until it can be written
        folder.mkdir(mode=0o700, parents=True)
        lock = alive.hold(folder)
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        descriptors = (lock, theirs.fileno())
        self.process = subprocess.Popen(
            [*command[:3], str(folder), *map(str, descriptors), *command[3:]],
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd=Path.home(),
        )
        os.close(lock)
        theirs.close()
        self._pidfd = os.pidfd_open(self.process.pid)
        hosts.loop.watch(self._pidfd, lambda _: self._ended())
        hosts.loop.watch(self._socket.fileno(), self._event)

    def run(self, call: Call) -> None:
        self.call = call
        self.ending = None
        self.unsettled.add(call.id)
        message = {k: v for k, v in call.__dict__.items() if k != "command"}
        if self.settled:
            message["settled"] = self.settled
            self.settled = []
        self._send(json.dumps(message).encode() + b"\n")
        if call.timeout is not None:
            error = StepError(
                kind="timeout",
                message=f"timeout: it ran longer than {call.timeout:g} s",
                step=call.step,
                action=call.label,
            )
            self._after(call.timeout, lambda: self.interrupt(Failure(error)))

    def interrupt(self, outcome: Outcome, *, force: bool = False) -> None:
        """Tell the step; after the grace kill the host with what it started."""
        if self.call is None:
            return
        self.ending = self.ending or outcome
        if force:
            self.kill()
            return
        self.process.send_signal(signal.SIGUSR1)
        self._after(self.call.cancel_grace, self.kill)

    def kill(self) -> None:
        kill_tree(self.process.pid, signal.SIGKILL)
        self.process.kill()

    def settle(self, call_id: int) -> None:
        self.unsettled.discard(call_id)
        self.settled.append(call_id)

    def end(self) -> None:
        """Let it end by itself; it is idle."""
        self._send(json.dumps({"settled": self.settled, "end": True}).encode() + b"\n")

    def _after(self, seconds: float, function: Callable[[], object]) -> None:
        self.timers.append(self.hosts.loop.later(seconds, function))

    def _send(self, data: bytes) -> None:
        self._outgoing += data
        try:
            sent = self._socket.send(self._outgoing)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # it is dead; the pidfd tells
        self._outgoing = self._outgoing[sent:]
        if bool(self._outgoing) != self._blocked:
            self._blocked = not self._blocked
            self.hosts.loop.change(self._socket.fileno(), READ | WRITE if self._blocked else READ)

    def _event(self, events: int) -> None:
        if events & WRITE:
            self._send(b"")
        if events & ~WRITE:
            self._read()

    def _read(self) -> None:
        try:
            data = self._socket.recv(1 << 18)
        except OSError:
            return
        if not data:
            self.hosts.loop.forget(self._socket.fileno())
            return
        *lines, self._incoming = (self._incoming + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        if self.call is None or message["id"] != self.call.id:
            return
        if "progress" in message:
            self.hosts.report(message["id"], Progress(*message["progress"]))
            return
        self._finish(_read_outcome(message))

    def _finish(self, outcome: Outcome) -> None:
        assert self.call is not None
        call, self.call = self.call, None
        if self.ending and isinstance(outcome, Failure | Cancelled):
            outcome = self.ending
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()
        self.hosts.finished(self, call, outcome)

    def _ended(self) -> None:
        self._read()
        self.hosts.loop.forget(self._pidfd)
        self.hosts.loop.forget(self._socket.fileno())
        os.close(self._pidfd)
        self._socket.close()
        status = self.process.wait()
        self.hosts.lost(self)
        if self.call:
            self._finish(self._outcome_of_death(self.call.id, status))

    def _outcome_of_death(self, call_id: int, status: int) -> Outcome:
        if self.ending:
            return self.ending
        if call_id not in Record.close(str(self.folder / "state")):
            return NeverRan()
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        return Interrupted(f"the process that ran it {how} before the step returned")


class Remains:
    """A host that has ended, or one of an earlier daemon, with calls that are not settled."""

    def __init__(self, folder: Path, unsettled: set[int]) -> None:
        self.folder = folder
        self.unsettled = unsettled

    def settle(self, call_id: int) -> None:
        self.unsettled.discard(call_id)


class Adopted:
    """A host of an earlier daemon that is still at it: its outcomes are read when it has ended."""

    def __init__(self, hosts: "Hosts", folder: Path, pid: int, pidfd: int, calls: set[int]) -> None:
        self.folder = folder
        self.calls = calls
        self._hosts = hosts
        self._pid = pid
        self._pidfd = pidfd
        self._ending: Outcome | None = None
        hosts.loop.watch(pidfd, lambda _: self._ended())

    def interrupt(self, outcome: Outcome, grace: float, *, force: bool = False) -> None:
        self._ending = self._ending or outcome
        if force:
            self.kill()
        else:
            signal.pidfd_send_signal(self._pidfd, signal.SIGUSR1)
            self._hosts.loop.later(grace, self.kill)

    def kill(self) -> None:
        if self in self._hosts.adopted:
            kill_tree(self._pid, signal.SIGKILL)
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _ended(self) -> None:
        self._hosts.loop.forget(self._pidfd)
        os.close(self._pidfd)
        self._hosts.adopted.remove(self)
        for call_id, outcome in self._hosts.leave(self.folder, self.calls).items():
            if self._ending and not isinstance(outcome, Success):
                outcome = self._ending
            self._hosts.report(call_id, outcome)


class Hosts:
    def __init__(
        self,
        loop: Loop,
        folder: Path,
        action_folders: list[str],
        idle: float,
        grace: float,
        report: Report,
    ) -> None:
        self.loop = loop
        self._grace = grace
        self.report = report
        self._folder = folder
        self._action_folders = action_folders
        self._idle_seconds = idle
        self.adopted: list[Adopted] = []
        self._hosts: list[Host] = []
        self._leaving: list[Remains] = []
        self._number = 0
        self._failed_starts = 0
        self._sweeping = False  # a look for idle ones is due

    def run(self, call: Call) -> None:
        host = next((h for h in self._hosts if h.call is None and not h.stale), None)
        (host or self._spawn()).run(call)

    def cancel(self, call_id: int, *, force: bool) -> bool:
        """False when no host is at it."""
        for host in self._hosts:
            if host.call and host.call.id == call_id:
                host.interrupt(Cancelled(), force=force)
                return True
        for adopted in self.adopted:
            if call_id in adopted.calls:
                adopted.interrupt(Cancelled(), self._grace, force=force)
                return True
        return False

    def settled(self, call_ids: Iterable[int]) -> None:
        """Their outcomes are in the store: nobody needs to keep them any longer."""
        wanted = set(call_ids)
        holders: list[Host | Remains] = [*self._hosts, *self._leaving]
        for host in holders:
            for call_id in wanted & host.unsettled:
                host.settle(call_id)
        for remains in [each for each in self._leaving if not each.unsettled]:
            self._leaving.remove(remains)
            shutil.rmtree(remains.folder, ignore_errors=True)

    def renew(self, action_folders: list[str]) -> None:
        """The code has changed: further calls go to new hosts."""
        self._action_folders = action_folders
        for host in self._hosts:
            host.stale = True
            if host.call is None:
                host.end()

    def finished(self, host: Host, call: Call, outcome: Outcome) -> None:
        if isinstance(outcome, NeverRan):
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                outcome = Failure(_cannot_start(call))
        else:
            self._failed_starts = 0
        if host.stale:
            host.end()
        host.idle_since = time.monotonic()
        self.report(call.id, outcome)

    def lost(self, host: Host) -> None:
        """The process has ended. Its folder stays until all that it did is settled."""
        self._hosts.remove(host)
        self._leaving.append(Remains(host.folder, host.unsettled))
        self.settled(())

    def take_up(self, calls: set[int], found: Found) -> None:
        """Before the loop starts: what hosts of earlier daemons are at, or have left."""
        for folder in sorted(self._folder.iterdir()) if self._folder.exists() else []:
            mine = calls & set(Record.close(str(folder / "state")))
            if pidfd := _still_alive(folder):
                self.adopted.append(Adopted(self, folder, *pidfd, mine))
                found.running |= mine
            else:
                found.ended |= self.leave(folder, mine)

    def leave(self, folder: Path, calls: set[int]) -> dict[int, Outcome]:
        """What became of the calls of a host that has ended; its folder stays until settled."""
        left = read_left(folder)
        unknown = Interrupted("the process that ran it died together with its daemon")
        self._leaving.append(Remains(folder, set(calls)))
        self.settled(())
        return {call_id: left.get(call_id, unknown) for call_id in calls}

    def _retire_idle(self) -> None:
        """Every now and then, while there are hosts: end those that had nothing to do."""
        oldest = time.monotonic() - self._idle_seconds
        for host in self._hosts:
            if host.call is None and not host.stale and host.idle_since < oldest:
                host.stale = True
                host.end()
        self._sweeping = bool(self._hosts)
        if self._sweeping:
            self.loop.later(self._idle_seconds / 4, self._retire_idle)

    def _spawn(self) -> Host:
        while (folder := self._folder / f"{os.getpid()}-{self._number}").exists():
            self._number += 1
        self._number += 1
        command = [sys.executable, "-m", "taskd.executors.host", *self._action_folders]
        host = Host(self, folder, command)
        self._hosts.append(host)
        if not self._sweeping:
            self._retire_idle()
        return host


def _still_alive(folder: Path) -> tuple[int, int] | None:
    """(pid, pidfd) of the host that holds the lock of `folder`."""
    while alive.is_held(folder):
        try:
            pid = int((folder / "pid").read_text())
        except (FileNotFoundError, ValueError):
            time.sleep(0.01)  # it has just been started: it says so first of all, or ends
            continue
        if pidfd := alive.open_process(folder, pid):
            return pid, pidfd
    return None


def _read_outcome(message: dict[str, Any]) -> Outcome:
    kind = _OUTCOMES[message["outcome"]]
    if kind is Success:
        return Success(message["value"]["output"])
    outcome: Outcome = wire.decode(kind, message["value"])  # type: ignore[assignment]
    return outcome


def read_left(folder: Path) -> dict[int, Outcome]:
    """The outcomes that a host left when its daemon was gone."""
    try:
        lines = (folder / "outcomes").read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    messages = [json.loads(line) for line in lines]
    return {message["id"]: _read_outcome(message) for message in messages}


def _cannot_start(call: Call) -> StepError:
    return StepError(
        kind="start",
        message="cannot start a host process for Python steps; the daemon's log says why",
        step=call.step,
        action=call.label,
    )
