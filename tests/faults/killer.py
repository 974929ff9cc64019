"""Kills the daemon, its hosts and its supervisors at random."""

import contextlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path

from real_daemon import COMMANDS, PATIENCE, Daemon, eventually

from taskd.client import Client
from taskd.model.errors import Unavailable

RUN_STEPS = ("hosts/*/pid", "attempts/*/begun")  # in these files are the pids of who does


class Killer:
    def __init__(self, daemon: Daemon, chance: random.Random) -> None:
        self.kills = 0
        self._daemon = daemon
        self._chance = chance
        self._process: subprocess.Popen[bytes]

    def start(self) -> None:
        """A daemon that answers; now and then one was killed before it did."""
        while self._chance.random() < 0.2:
            self.spawn()
            time.sleep(self._chance.uniform(0.0, 0.6))
            self.kill()
        self.spawn()
        eventually(lambda: self.answers() or self.is_dead())
        assert not self.is_dead(), self._daemon.log()

    def spawn(self, **environment: str) -> None:
        """A daemon that may not answer yet."""
        with open(self._daemon.state / "taskd.log", "ab") as log:
            self._process = subprocess.Popen(
                [COMMANDS / "taskd", "run"],
                env=self._daemon.environment | environment,
                stdout=log,
                stderr=log,
            )

    def answers(self) -> bool:
        try:
            with Client(self._daemon.socket) as client:
                return bool(client.status())
        except Unavailable:
            return False

    def is_dead(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        self.kills += 1
        self._process.kill()
        self.bury()

    def kill_daemon(self) -> None:
        """And start another one."""
        self.kill()
        self.start()

    def kill_anyone(self) -> None:
        self.kill_one_that_runs_steps()
        if self._chance.random() < 0.7:
            self.kill()
            self.kill_one_that_runs_steps()
            self.start()

    def stop(self) -> None:
        """In order."""
        self._process.terminate()
        self.bury()

    def bury(self) -> int:
        """Its exit code, when it is dead. It counts for no safe mode, which would end the test."""
        status = self._process.wait(PATIENCE)
        (self._daemon.state / "starts").unlink(missing_ok=True)
        return status

    def kill_one_that_runs_steps(self) -> None:
        """A host or a supervisor, if there is any."""
        files = sorted(self._daemon.state.glob(self._chance.choice(RUN_STEPS)))
        if files and (pid := _read_pid(self._chance.choice(files))):
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(pid)
                if pid in self._daemon.others():  # it has not become another one's number
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                    self.kills += 1
                os.close(handle)


def _read_pid(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
