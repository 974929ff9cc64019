"""Hosts of earlier daemons: what they are at, and what they have left."""

import json
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from taskd.executors import alive
from taskd.executors.base import Interrupted, Outcome, Progress, as_told
from taskd.executors.host_link import read_outcome
from taskd.executors.killing import kill_orphans, kill_whole
from taskd.executors.said import read as read_said
from taskd.executors.shortage import insist
from taskd.loop import Loop
from taskd.model.errors import ProtocolError

log = logging.getLogger(__name__)

LISTEN_SECONDS = 0.5
UNKNOWN = Interrupted("the process that ran it died together with its daemon")


class Remains:
    """The folder of a host that has ended; it stays until all that the host did is settled."""

    def __init__(self, folder: Path, unsettled: set[int]) -> None:
        self.folder = folder
        self.unsettled = set(unsettled)

    def settle(self, call_id: int) -> None:
        self.unsettled.discard(call_id)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def outcomes(self, calls: set[int]) -> dict[int, Outcome]:
        """What became of `calls`, which the host had begun."""
        left = {message["id"]: _read_outcome(message) for message in self._read()}
        if not calls <= left.keys():
            kill_orphans(self.folder)
        return {call_id: left.get(call_id, UNKNOWN) for call_id in calls}

    def times(self) -> dict[int, datetime]:
        """When the calls ended whose outcomes were left."""
        return {
            message["id"]: datetime.fromtimestamp(message["at"], UTC) for message in self._read()
        }

    def _read(self) -> list[dict[str, Any]]:
        try:
            lines = (self.folder / "outcomes").read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return [message for line in lines if (message := _read_message(line))]


def _read_message(line: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError, RecursionError) as error:
        log.error("a host of steps has left a line that cannot be read: %s", error)
        return {}


def _read_outcome(message: dict[str, Any]) -> Outcome:
    try:
        return read_outcome(message)
    except (KeyError, ProtocolError) as error:
        return Interrupted(f"its host, of another version, left what cannot be read: {error}")


class Adopted:
    """A host that is still at it: what it has done is read when it has ended."""

    def __init__(
        self,
        loop: Loop,
        folder: Path,
        calls: set[int],
        ended: Callable[["Adopted"], object],
        tell: Callable[[int, Progress], object],
    ) -> None:
        self.folder = folder
        self.calls = calls
        self._loop = loop
        self._when_ended = ended
        self._tell = tell
        self._heard: list[tuple[int, Progress]] = []
        self._told: dict[int, Outcome] = {}  # how calls were told to end
        self._alive = False
        self._take_up()

    def _take_up(self) -> None:
        """Watch the process that holds the folder's lock; it may have let go meanwhile."""
        while alive.is_held(self.folder):
            try:
                self._pid = int((self.folder / "pid").read_text())
            except (FileNotFoundError, ValueError):
                time.sleep(0.01)  # it was just started: it says so first of all, or ends
                continue
            if pidfd := alive.open_process(self.folder, self._pid):
                self._pidfd = pidfd
                self._alive = True
                self._loop.watch(pidfd, lambda _: self._ended())
                self._listen()
                return
        self._loop.call(self._finish)

    def interrupt(
        self, call_id: int, outcome: Outcome, grace: float, *, force: bool = False
    ) -> None:
        self._told.setdefault(call_id, outcome)
        if force or grace <= 0:
            self.kill()
        else:
            self._signal(signal.SIGUSR1)
            self._loop.later(grace, self.kill)

    def dismiss(self, grace: float) -> None:
        """End it: nobody waits for what it is at, a hook or a step that was given up."""
        self._signal(signal.SIGUSR1)
        self._loop.later(grace, self.kill)

    def kill(self) -> None:
        insist(self._loop, self._kill)

    def _kill(self) -> None:
        if self._alive:
            kill_whole(self._pid, self._signal)

    def outcomes(self) -> dict[int, Outcome]:
        """Once it has ended. Raises OSError in a shortage."""
        found = Remains(self.folder, self.calls).outcomes(self.calls)
        return {call_id: as_told(self._told.get(call_id), found[call_id]) for call_id in found}

    def _signal(self, number: int) -> None:
        if self._alive:
            signal.pidfd_send_signal(self._pidfd, number)

    def _listen(self) -> None:
        """Now and then, to what the step says."""
        self._hear()
        if self._alive:
            self._loop.later(LISTEN_SECONDS, self._listen)

    def _hear(self) -> None:
        said = read_said(self.folder)
        for call_id, word in said:
            if call_id in self.calls and (call_id, word) not in self._heard:
                self._tell(call_id, word)
        self._heard = said

    def _ended(self) -> None:
        self._alive = False
        self._loop.forget(self._pidfd)
        os.close(self._pidfd)
        self._finish()

    def _finish(self) -> None:
        self._hear()
        insist(self._loop, partial(self._when_ended, self))
