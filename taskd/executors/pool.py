"""The executor of a daemon: a number of slots, each of which runs one step at a time.

All of it runs in the daemon's loop. Calls beyond the slots wait here in memory, their attempts
already committed, so that a slot that becomes free need not wait for a commit. How many the
director sends ahead is its business.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from taskd.executors.base import Call, Found, NeverRan, Outcome, Progress, Report
from taskd.executors.command import Commands
from taskd.executors.process import Hosts
from taskd.executors.shortage import RETRY_SECONDS, is_shortage
from taskd.executors.thread import Threads
from taskd.loop import Loop
from taskd.model.definition import Isolation
from taskd.settings import Settings

log = logging.getLogger(__name__)


class Pool:
    def __init__(
        self,
        loop: Loop,
        report: Report,
        settings: Settings,
        *,
        attempts: Path,
        hosts: Path,
        action_folders: list[str],
    ) -> None:
        self.hindered: Callable[[OSError], object] = lambda _error: None  # nothing can be started
        self._loop = loop
        self._report = report
        self._waiting: deque[Call] = deque()
        self._retrying = False
        self.hosts = Hosts(loop, hosts, action_folders, self)
        self.commands = Commands(loop, attempts, self.take)
        self.threads = Threads(loop, hosts, action_folders, self.take)
        self.heed(settings)

    def heed(self, settings: Settings) -> None:
        """Now, and when they were read again."""
        self.slots = settings.executor_slots
        self.hosts.idle_seconds = settings.host_idle.total_seconds()
        self.hosts.grace = settings.cancel_grace.total_seconds()

    @property
    def busy(self) -> int:
        return self.hosts.busy + self.commands.busy + self.threads.busy

    def start(self, call: Call) -> None:
        self._waiting.append(call)
        self._fill()

    def cancel(self, call_id: int, *, force: bool = False) -> None:
        self.hosts.cancel(call_id, force=force)
        self.commands.cancel(call_id, force=force)
        self.threads.cancel(call_id)
        for call in self._waiting:
            if call.id == call_id:
                self._waiting.remove(call)
                self._report(call_id, NeverRan())
                return

    def flush(self) -> None:
        """Hand over what was given out since the last time."""
        self.hosts.flush()

    def settled(self, call_ids: Iterable[int]) -> None:
        """Their outcomes are committed."""
        self.hosts.settled(call_ids)
        self.commands.settled(call_ids)
        self.threads.settled(call_ids)

    def renew(self, action_folders: list[str]) -> None:
        """The code has changed."""
        self.hosts.renew(action_folders)
        self.threads.code.renew(action_folders)

    def take_up(self, calls: set[int]) -> Found:
        """Before the loop starts: which calls of an earlier daemon still run, and what
        became of others. The rest left no trace."""
        found = Found()
        self.hosts.take_up(calls, found)
        self.commands.take_up(calls, found)
        self.hosts.take_up_rest(calls, found)
        return found

    def take(self, call_id: int, outcome: Outcome | Progress) -> None:
        self._report(call_id, outcome)
        self._fill()

    def take_back(self, calls: list[Call]) -> None:
        self._waiting.extendleft(reversed(calls))
        self._fill()

    def _fill(self) -> None:
        while self._waiting:
            call = self._waiting[0]
            if self.busy < self.slots:
                self._waiting.popleft()
                if not self._run(call):
                    return
            elif self._executor_of(call) is self.hosts and self.hosts.run_behind(call):
                self._waiting.popleft()
            else:
                return

    def _run(self, call: Call) -> bool:
        """False: no process can be started now. It has not begun, and is tried again."""
        try:
            self._executor_of(call).run(call)
        except OSError as error:
            if not is_shortage(error):
                raise
            self._waiting.appendleft(call)
            self._retry(error)
            return False
        return True

    def _retry(self, error: OSError) -> None:
        self.hindered(error)
        if not self._retrying:
            log.warning("no step can be started now: %s", error)
            self._retrying = True
            self._loop.later(RETRY_SECONDS, self._try_again)

    def _try_again(self) -> None:
        self._retrying = False
        self._fill()

    def _executor_of(self, call: Call) -> Hosts | Commands | Threads:
        if call.command:
            return self.commands
        return self.threads if call.isolation == Isolation.THREAD else self.hosts
