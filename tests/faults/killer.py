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
from taskd.engine.safe_mode import DEATHS, LIVES_ON_AFTER
from taskd.model.errors import Unavailable

RUN_STEPS = ("hosts/*/pid", "attempts/*/begun")  # in these files are the pids of who does


class Killer:
    def __init__(self, daemon: Daemon, chance: random.Random) -> None:
        self.kills = 0
        self._daemon = daemon
        self._chance = chance
        self._starts = daemon.state / "starts"
        self._patience = 0.6  # seconds that it took to answer
        self._process: subprocess.Popen[bytes]

    def start(self) -> None:
        """A daemon that answers; now and then one was killed before it did."""
        while self._chance.random() < 0.2:
            self.spawn()
            time.sleep(self._chance.uniform(0.0, self._patience))
            self.kill()
        self.spawn()
        begun = time.monotonic()
        eventually(lambda: self.answers() or self.is_dead())
        self._patience = time.monotonic() - begun
        assert not self.is_dead(), self._daemon.log()

    def spawn(self, *options: str, counted: bool = False, **environment: str) -> None:
        """A daemon that may not answer yet. Unless `counted`, deaths lead to no safe mode."""
        if not counted:
            self._starts.unlink(missing_ok=True)
        with open(self._daemon.state / "taskd.log", "ab") as log:
            self._process = subprocess.Popen(
                [COMMANDS / "taskd", "run", *options],
                env=self._daemon.environment | environment,
                stdout=log,
                stderr=log,
                process_group=0,
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
        """It alone, or with all that is in its process group."""
        self.kills += 1
        kill = self._chance.choice((os.kill, os.killpg))
        if not self.is_dead():
            kill(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)

    def kill_daemon(self) -> None:
        """And start another one."""
        self.kill()
        self.start()

    def kill_anyone(self) -> None:
        """At least one of them: the daemon when nobody runs steps just then."""
        kills = self.kills
        self.kill_some_that_run_steps()
        if self.kills == kills or self._chance.random() < 0.7:
            self.kill()
            self.kill_some_that_run_steps()
            self.start()

    def kill_while_it_recovers(self) -> None:
        """Again and again, at any moment from when it has noted its start, until safe mode."""
        longest = min(self._patience, 0.7 * LIVES_ON_AFTER)
        self.kill()
        self._starts.unlink(missing_ok=True)
        for deaths in range(DEATHS):
            self.spawn(counted=True)
            eventually(lambda noted=deaths + 1: self._noted() == noted)
            time.sleep(self._chance.uniform(0.0, longest))
            self.kill()
            self.kill_some_that_run_steps()
        self.spawn(counted=True)
        eventually(self.answers)
        with Client(self._daemon.socket) as client:
            assert client.status()["state"] == "safe mode"
        self.stop()
        self.start()

    def stop(self) -> int:
        """In order. Its exit code."""
        self._process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Until it has ended by itself. Its exit code."""
        return self._process.wait(PATIENCE)

    def kill_some_that_run_steps(self) -> None:
        """One host or supervisor, if there is any, or all of them."""
        files = sorted(self._daemon.state.glob(self._chance.choice(RUN_STEPS)))
        most = len(files) if self._chance.random() < 0.2 else 1
        for file in self._chance.sample(files, min(most, len(files))):
            if pid := _read_pid(file):
                self._kill_other(pid)

    def _kill_other(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            if pid in self._daemon.others():  # it has not become another one's number
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                self.kills += 1
            os.close(handle)

    def _noted(self) -> int:
        """How many starts are noted."""
        return len(self._starts.read_text().splitlines()) if self._starts.exists() else 0


def _read_pid(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
