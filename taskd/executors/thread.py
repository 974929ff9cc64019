"""Threads of the daemon: they run the steps of actions with `isolation="thread"`.

That is for trusted and tiny steps. What such a step does to its process it does to the daemon:
`os._exit` ends it, a busy loop slows it down, `os.chdir` moves it. Nothing can end a thread: one
that is cancelled, or whose time has passed, is told by `self.task.cancelled` and has its slot until
it returns. What runs when the daemon ends is lost and its outcome unknown; that recovery may know,
it is written down as a host does it, in a folder of that kind.
"""

import errno
import os
import queue
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from taskd.actions.action import Action
from taskd.actions.current import Current
from taskd.catalog.python_source import find_action, mount
from taskd.executors import kernel, record
from taskd.executors.base import (
    Call,
    Cancelled,
    Failure,
    Outcome,
    Progress,
    Report,
    as_told,
    timed_out,
)
from taskd.executors.killing import mark_of
from taskd.executors.news import News
from taskd.executors.printing import printing_to
from taskd.executors.run_step import run_step
from taskd.executors.shortage import is_shortage
from taskd.executors.step_log import StepLog
from taskd.loop import Loop, Timer
from taskd.model.step import StepError


class Threads:
    """`run`, `cancel` and `settled` are called in the daemon's loop."""

    def __init__(self, loop: Loop, folder: Path, action_folders: list[str], report: Report) -> None:
        self.code = Code(action_folders)
        self._loop = loop
        self._folder = folder
        self._report = report
        self._record: record.Record | None = None
        self._running: dict[int, Running] = {}
        self._unsettled: set[int] = set()
        self._given: queue.SimpleQueue[Running] = queue.SimpleQueue()
        self._threads = 0

    @property
    def busy(self) -> int:
        return len(self._running)

    def run(self, call: Call) -> None:
        try:
            if self.busy == self._threads:
                self._start_thread()
            self._write_down(call.id)
        except OSError as error:
            if is_shortage(error):
                raise
            told = StepError("start", f"cannot start the step: {error}", "", call.step, call.label)
            self._report(call.id, Failure(told))
            return
        running = Running(call, lambda news: self._loop.call(partial(self._report, call.id, news)))
        if call.timeout is not None:
            late = partial(running.tell, timed_out(call.timeout))
            running.clock = self._loop.later(call.timeout, late)
        self._running[call.id] = running
        self._given.put(running)

    def cancel(self, call_id: int) -> None:
        """Tell it; no force can do more."""
        if running := self._running.get(call_id):
            running.tell(Cancelled())

    def settled(self, call_ids: Iterable[int]) -> None:
        self._unsettled.difference_update(call_ids)

    def _start_thread(self) -> None:
        try:
            threading.Thread(target=self._work, name="steps", daemon=True).start()
        except RuntimeError as error:  # so Python says that there can be no other one now
            raise OSError(errno.EAGAIN, str(error)) from None
        self._threads += 1

    def _write_down(self, call_id: int) -> None:
        """That it begins, where a daemon after this one looks."""
        if self._record is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            state = Path(tempfile.mkdtemp(prefix="threads-", dir=self._folder), "state")
            record.make(state)
            self._record = record.Record(str(state))
            kernel.mark(mark_of(state.parent))
        self._record.begin(call_id, list(self._unsettled))
        self._unsettled.add(call_id)

    def _ended(self, running: "Running", outcome: Outcome) -> None:
        del self._running[running.call.id]
        if running.clock:
            running.clock.cancel()
        self._report(running.call.id, as_told(running.told, outcome))

    def _work(self) -> None:
        """What each of the threads does, for ever."""
        while True:
            running = self._given.get()
            outcome = running.run(self.code.find)
            self._loop.call(partial(self._ended, running, outcome))


class Running:
    """A call in its thread."""

    def __init__(self, call: Call, report: Callable[[Progress], None]) -> None:
        self.call = call
        self.told: Outcome | None = None
        self.clock: Timer | None = None
        self._log = StepLog(call)
        self._news = News(report)
        self._current = Current(
            call.task_id,
            call.attempt,
            call.kept,
            self._news.take,
            lambda external_id: report(Progress(None, external_id=external_id)),
            self._log.write,
            call.secrets,
        )

    def tell(self, outcome: Outcome) -> None:
        """To end, and what that will count as."""
        self.told = self.told or outcome
        self._current.cancelled = True

    def run(self, find: Callable[[str, str], type[Action]]) -> Outcome:
        me = os.getpid()
        with printing_to(self._log):
            outcome = run_step(self.call, self._current, find)
            if os.getpid() != me:
                os._exit(0)  # a child that the step forked and let return
        self._news.end()
        return outcome


class Code:
    """The action files, imported here when a call asks for what is in them, and only then."""

    def __init__(self, action_folders: list[str]) -> None:
        self.renew(action_folders)
        self._mounted: list[str] | None = None
        self._importing = threading.Lock()  # or one thread would drop what another imports

    def renew(self, action_folders: list[str]) -> None:
        """They have changed: import them again for further calls."""
        self._to_mount = list(action_folders)

    def find(self, module: str, name: str) -> type[Action]:
        with self._importing:
            if self._mounted is not self._to_mount:
                sys.dont_write_bytecode = True
                self._mounted = self._to_mount
                mount(self._mounted)
            return find_action(module, name)
