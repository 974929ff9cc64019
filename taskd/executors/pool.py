"""The executor of a daemon: a number of slots, each of which runs one step at a time.

All of it runs in the daemon's loop. Calls beyond the slots wait here in memory, their attempts
already committed, so that a slot that becomes free need not wait for a commit. How many the
director sends ahead is its business.
"""

from collections import deque
from collections.abc import Iterable
from pathlib import Path

from taskd.executors.base import Call, Found, NeverRan, Outcome, Progress, Report
from taskd.executors.command import Commands
from taskd.executors.process import Hosts
from taskd.loop import Loop


class Pool:
    def __init__(
        self,
        loop: Loop,
        report: Report,
        *,
        slots: int,
        attempts: Path,
        hosts: Path,
        action_folders: list[str],
        host_idle: float,
        cancel_grace: float,
    ) -> None:
        self.slots = slots
        self._report = report
        self._waiting: deque[Call] = deque()
        self._active: set[int] = set()
        self.hosts = Hosts(loop, hosts, action_folders, host_idle, cancel_grace, self._take)
        self.commands = Commands(loop, attempts, self._take)

    def start(self, call: Call) -> None:
        self._waiting.append(call)
        self._fill()

    def cancel(self, call_id: int, *, force: bool = False) -> None:
        for call in self._waiting:
            if call.id == call_id:
                self._waiting.remove(call)
                self._take(call_id, NeverRan())
                return
        if not self.hosts.cancel(call_id, force=force):
            self.commands.cancel(call_id, force=force)

    def settled(self, call_ids: Iterable[int]) -> None:
        """Their outcomes are committed."""
        self.hosts.settled(call_ids)
        self.commands.settled(call_ids)

    def take_up(self, calls: set[int]) -> Found:
        """Before the loop starts: which calls of an earlier daemon still run, and take a slot, and what
        became of others. The rest left no trace."""
        found = Found()
        self.hosts.take_up(calls, found)
        self.commands.take_up(calls, found)
        self._active |= found.running
        return found

    def _fill(self) -> None:
        while self._waiting and len(self._active) < self.slots:
            call = self._waiting.popleft()
            self._active.add(call.id)
            runner = self.commands if call.command else self.hosts
            runner.run(call)

    def _take(self, call_id: int, outcome: Outcome | Progress) -> None:
        self._report(call_id, outcome)
        if not isinstance(outcome, Progress):
            self._active.discard(call_id)
            self._fill()
