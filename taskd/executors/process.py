"""Hosts: warm child processes that run Python steps, each one at a time.

All of it runs in the daemon's loop. A host that was killed, crashed or left by `os._exit` hurts
only its own call; new code means new hosts; idle ones end after a while.
"""

import errno
import os
import sys
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Protocol

from taskd.executors import alive, record, said
from taskd.executors.adopted import Adopted, Remains
from taskd.executors.base import Call, Cancelled, Failure, Found, Outcome, Progress, timed_out
from taskd.executors.folders import folders_in
from taskd.executors.host_link import HostLink
from taskd.executors.shortage import RETRY_SECONDS, insist
from taskd.loop import Loop
from taskd.model.step import StepError

DEPTH = 64  # calls that a host may have, if they are quick
QUICK = 0.001  # seconds
MAX_FAILED_STARTS = 5
CANNOT_START = "cannot start a process for Python steps; the daemon's log says why"


class Owner(Protocol):
    """Who is told what became of calls, and which were given back unbegun."""

    def take(self, call_id: int, outcome: Outcome | Progress) -> None: ...
    def take_back(self, calls: list[Call]) -> None: ...


class Hosts:
    def __init__(
        self,
        loop: Loop,
        folder: Path,
        action_folders: list[str],
        owner: Owner,
    ) -> None:
        self.loop = loop
        self.talking: set[HostLink] = set()
        self.idle_seconds: float
        self.grace: float  # of adopted calls
        self._folder = folder
        self._action_folders = action_folders
        self._owner = owner
        self._hosts: list[HostLink] = []
        self._adopted: list[Adopted] = []
        self._remains: list[Remains] = []
        self._unreadable: list[Path] = []  # folders, while they are taken up
        self._seconds: dict[tuple[str, str], float] = {}  # how long steps took, of late
        self._number = 0
        self._failed_starts = 0
        self._next_start = 0.0  # after a failed one: its files may be replaced this moment
        self._sweeping = False  # a look for idle ones is due

    @property
    def busy(self) -> int:
        return sum(bool(host.calls) for host in self._hosts) + len(self._adopted)

    def run(self, call: Call) -> None:
        """On a host that is idle, or a new one."""
        for host in self._hosts:
            if not host.calls and not host.stale:
                host.run(call)
                return
        self._spawn().run(call)

    def run_behind(self, call: Call) -> bool:
        """On a busy host, after its other calls, if all are quick. False if not."""
        if not self._is_quick(call):
            return False
        best, fewest = None, DEPTH
        for host in self._hosts:
            takes_more = host.warm and not host.stale and 0 < len(host.calls) < fewest
            if takes_more and self._is_quick(host.calls[-1]):
                best, fewest = host, len(host.calls)
        if best:
            best.run(call)
        return best is not None

    def flush(self) -> None:
        """Send what hosts were told."""
        while self.talking:
            self.talking.pop().flush()

    def cancel(self, call_id: int, *, force: bool) -> None:
        insist(self.loop, partial(self._cancel, call_id, force=force))

    def _cancel(self, call_id: int, *, force: bool) -> None:
        for host in list(self._hosts):
            if any(call.id == call_id for call in host.calls):
                host.cancel(call_id, force=force)
        for adopted in self._adopted:
            if call_id in adopted.calls:
                adopted.interrupt(call_id, Cancelled(), self.grace, force=force)

    def limit(self, call_id: int, left: float, timeout: float) -> None:
        """What is left of the time of an adopted call, of which it had `timeout` seconds."""
        outcome = timed_out(timeout)
        for adopted in self._adopted:
            if call_id in adopted.calls:
                self.loop.later(left, partial(adopted.interrupt, call_id, outcome, self.grace))

    def settled(self, call_ids: Iterable[int]) -> None:
        """Their outcomes are in the store: nobody needs to keep them any longer."""
        wanted = set(call_ids)
        holders: list[HostLink | Remains] = [*self._hosts, *self._remains]
        for holder in holders:
            for call_id in wanted & holder.unsettled:
                holder.settle(call_id)
        for remains in [each for each in self._remains if not each.unsettled]:
            self._remains.remove(remains)
            remains.remove()

    def renew(self, action_folders: list[str]) -> None:
        """The code has changed: further calls go to new hosts."""
        self._action_folders = action_folders
        self._seconds.clear()
        for host in list(self._hosts):
            insist(self.loop, host.recall)
            host.stale = True
            if not host.calls:
                host.end()

    def take_up(self, calls: set[int], found: Found) -> None:
        """Before the loop starts: what hosts of earlier daemons are at, or have left."""
        for folder in folders_in(self._folder):
            begun = record.close(folder / "state")
            if begun is None:
                self._unreadable.append(folder)
            else:
                self._take_up(folder, calls.intersection(begun), found)

    def take_up_rest(self, calls: set[int], found: Found) -> None:
        """Then: any of `calls` may have been begun by a host whose record nobody can read."""
        for folder in self._unreadable:
            self._take_up(folder, calls - found.running - found.ended.keys(), found)
        self._unreadable.clear()

    def _take_up(self, folder: Path, calls: set[int], found: Found) -> None:
        if alive.is_held(folder):
            self._adopt(folder, calls)
            found.running |= calls
        else:
            remains = self._keep(folder, calls)
            found.ended |= remains.outcomes(calls)
            found.ended_at |= remains.times()
            found.said += said.read(folder)

    # What hosts say

    def ended(self, host: HostLink, call: Call, outcome: Outcome, seconds: float) -> None:
        self._failed_starts = 0
        before = self._seconds.get((call.label, call.step), seconds)
        self._seconds[call.label, call.step] = max(seconds, 0.9 * before + 0.1 * seconds)
        if host.stale and not host.calls:
            host.end()
        self._owner.take(call.id, outcome)

    def progressed(self, call: Call, progress: Progress) -> None:
        self._owner.take(call.id, progress)

    def held_up(self, call: Call) -> None:
        """`call` turned out to take long: nothing is sent behind its like for a good while."""
        self._seconds[call.label, call.step] = 1.0

    def given_back(self, calls: list[Call]) -> None:
        if self._failed_starts < MAX_FAILED_STARTS:
            self._owner.take_back(calls)
            return
        for call in calls:
            self._owner.take(call.id, Failure(StepError("start", CANNOT_START)))

    def lost(self, host: HostLink) -> None:
        self._hosts.remove(host)
        self._keep(host.folder, host.unsettled)
        if host.calls and not host.stale:
            self._failed_starts += 1
            self._next_start = time.monotonic() + RETRY_SECONDS

    def _adopt(self, folder: Path, calls: set[int]) -> None:
        adopted = Adopted(self.loop, folder, calls, self._adopted_ended, self._owner.take)
        self._adopted.append(adopted)
        if not calls:
            adopted.dismiss(self.grace)

    def _adopted_ended(self, adopted: Adopted) -> None:
        outcomes = adopted.outcomes()
        self._adopted.remove(adopted)
        self._keep(adopted.folder, adopted.calls)
        for call_id, outcome in outcomes.items():
            self._owner.take(call_id, outcome)
        self._owner.take_back([])  # its slot is free, also where it was at nothing of ours

    def _keep(self, folder: Path, calls: set[int]) -> Remains:
        remains = Remains(folder, calls)
        self._remains.append(remains)
        return remains

    def _is_quick(self, call: Call) -> bool:
        seconds = self._seconds.get((call.label, call.step))
        return seconds is not None and seconds < QUICK and call.timeout is None

    def _spawn(self) -> HostLink:
        if self._failed_starts and time.monotonic() < self._next_start:
            raise OSError(errno.EAGAIN, "a process for Python steps has just ended at its start")
        while (folder := self._folder / f"{os.getpid()}-{self._number}").exists():
            self._number += 1
        self._number += 1
        command = [sys.executable, "-m", "taskd.executors.host", *self._action_folders, "--"]
        host = HostLink(self, folder, command)
        self._hosts.append(host)
        if not self._sweeping:
            self._retire_idle()
        return host

    def _retire_idle(self) -> None:
        """Every now and then, while there are hosts: end those that had nothing to do."""
        oldest = time.monotonic() - self.idle_seconds
        for host in self._hosts:
            if not host.calls and not host.stale and host.idle_since < oldest:
                host.end()
        self._sweeping = bool(self._hosts)
        if self._sweeping:
            self.loop.later(self.idle_seconds / 4, self._retire_idle)
