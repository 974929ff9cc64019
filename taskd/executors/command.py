"""Commands: steps that need no host, each under a supervisor that outlives the daemon.

All of it runs in the daemon's loop, which waits for the supervisors by pidfd and looks now and then
what the commands say of their progress.
"""

import contextlib
import logging
import os
import subprocess
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from taskd.executors import alive, attempt
from taskd.executors.attempt import Running
from taskd.executors.base import (
    Call,
    Failure,
    Found,
    Interrupted,
    NeverRan,
    Outcome,
    Progress,
    Report,
)
from taskd.executors.exit_record import read_end, read_progress
from taskd.executors.folders import folders_in
from taskd.executors.killing import kill_orphans
from taskd.executors.shortage import RETRY_SECONDS, insist, is_shortage
from taskd.loop import Loop
from taskd.model.step import StepError

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.5
TELL_SECONDS = 0.05  # between attempts to tell a supervisor that has not begun yet
LATE_SECONDS = 1.0  # after which a supervisor must have seen that the time is up
FORCE_SECONDS = 3.0  # that it has to end all by force


class Attempt:
    """One command that runs. `process` is None for one that an earlier daemon began."""

    def __init__(self, call_id: int, process: subprocess.Popen[bytes] | None = None) -> None:
        self.call_id = call_id
        self.process = process
        self.progress: object = None


class Commands:
    def __init__(self, loop: Loop, folder: Path, report: Report) -> None:
        self._loop = loop
        self._folder = folder
        self._report = report
        self._attempts: dict[int, Attempt] = {}
        self._unsettled: set[int] = set()  # have a folder
        self._looking = False

    @property
    def busy(self) -> int:
        return len(self._attempts)

    def run(self, call: Call) -> None:
        self._unsettled.add(call.id)
        try:
            process = attempt.begin(self._at(call.id), call)
        except (OSError, ValueError) as error:
            if is_shortage(error):
                raise
            self._report(call.id, Failure(_cannot_start(call, error)))
            return
        running = self._add(Attempt(call.id, process))
        insist(self._loop, lambda: self._watch(running, os.pidfd_open(process.pid)))
        if call.timeout is not None:
            self._loop.later(call.timeout + LATE_SECONDS, partial(self._wake, running))

    def cancel(self, call_id: int, *, force: bool) -> None:
        running = self._attempts.get(call_id)
        if running and force:
            self._loop.later(FORCE_SECONDS, partial(self._kill, running))
        if running:
            self._insist_on_the_end(running, force=force)

    def settled(self, call_ids: Iterable[int]) -> None:
        for call_id in self._unsettled.intersection(call_ids):
            self._unsettled.remove(call_id)
            attempt.remove(self._at(call_id))

    def take_up(self, calls: set[int], found: Found) -> None:
        """Before the loop starts: what commands of earlier daemons still run, or have left."""
        folders = [each for each in folders_in(self._folder) if each.name.isdecimal()]
        for folder in folders:
            call_id = int(folder.name)
            if call_id not in calls:
                _dismiss(folder)
                continue
            self._unsettled.add(call_id)
            state = attempt.examine(folder)
            while isinstance(state, Running):
                pidfd = attempt.open_supervisor(folder)
                if pidfd is not None:
                    self._watch(self._add(Attempt(call_id)), pidfd)
                    found.running.add(call_id)
                    break
                state = attempt.examine(folder)
            else:
                found.ended[call_id] = state
                if ended_at := read_end(folder):
                    found.ended_at[call_id] = ended_at

    def _insist_on_the_end(self, running: Attempt, *, force: bool) -> None:
        if self._is_at_work(running) and not self._tell_to_end(running.call_id, force=force):
            again = partial(self._insist_on_the_end, running, force=force)
            self._loop.later(TELL_SECONDS, again)

    def _tell_to_end(self, call_id: int, *, force: bool) -> bool:
        try:
            return attempt.tell_to_end(self._at(call_id), force=force)
        except OSError:  # no descriptor, for one
            return False

    def _wake(self, running: Attempt) -> None:
        """A supervisor that was stopped by its command does not see that its time is up."""
        if self._is_at_work(running):
            insist(self._loop, lambda: attempt.wake(self._at(running.call_id)))

    def _kill(self, running: Attempt) -> None:
        """With its supervisor, which does not end it."""
        if self._is_at_work(running):
            insist(self._loop, lambda: attempt.kill(self._at(running.call_id)))

    def _is_at_work(self, running: Attempt) -> bool:
        return self._attempts.get(running.call_id) is running

    def _add(self, running: Attempt) -> Attempt:
        self._attempts[running.call_id] = running
        if not self._looking:
            self._looking = True
            self._loop.later(PROGRESS_SECONDS, self._look)
        return running

    def _watch(self, running: Attempt, pidfd: int) -> None:
        self._loop.watch(pidfd, lambda _: self._ended(running, pidfd))

    def _ended(self, running: Attempt, pidfd: int) -> None:
        self._loop.forget(pidfd)
        os.close(pidfd)
        if running.process:
            running.process.wait()
        self._examine(running)

    def _examine(self, running: Attempt) -> None:
        insist(self._loop, partial(self._give_account, running))

    def _give_account(self, running: Attempt) -> None:
        folder = self._at(running.call_id)
        state, progress = attempt.examine(folder), read_progress(folder)
        if not folder.exists():
            kill_orphans(folder)
            state = Interrupted("its folder was removed, so that nobody knows how it ended")
        if isinstance(state, Running):  # a process that inherited the lock has it a moment longer
            self._loop.later(TELL_SECONDS, lambda: self._examine(running))
        elif isinstance(state, NeverRan):  # what kept it from that may last
            self._loop.later(RETRY_SECONDS, lambda: self._finish(running, None, state))
        else:
            self._finish(running, progress, state)

    def _finish(self, running: Attempt, progress: Progress | None, outcome: Outcome) -> None:
        del self._attempts[running.call_id]
        self._tell_progress(running, progress)
        self._report(running.call_id, outcome)

    def _look(self) -> None:
        """Now and then, while any command runs."""
        for running in list(self._attempts.values()):
            with contextlib.suppress(OSError):  # then at the next look
                self._tell_progress(running, read_progress(self._at(running.call_id)))
        self._looking = bool(self._attempts)
        if self._looking:
            self._loop.later(PROGRESS_SECONDS, self._look)

    def _tell_progress(self, running: Attempt, progress: Progress | None) -> None:
        if progress and progress != running.progress:
            running.progress = progress
            self._report(running.call_id, progress)

    def _at(self, call_id: int) -> Path:
        return self._folder / str(call_id)


def _dismiss(folder: Path) -> None:
    """What the store knows nothing of, or has given up, is not to work beside what it knows."""
    if alive.is_held(folder):
        log.warning("%s is of no step that runs: it is killed", folder)
        attempt.kill(folder)
    attempt.remove(folder)


def _cannot_start(call: Call, error: Exception) -> StepError:
    return StepError(
        kind="start",
        message=f"cannot start the command: {error}",
        step=call.step,
        action=call.label,
    )
