"""A daemon to throw away, with its own short-named folder, the benchmark's actions and a client."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from taskd.client import Client
from tests.real_daemon import processes_of

ACTIONS = Path(__file__).parent / "actions"
SLOTS = 4
WINDOW = 512  # requests in flight


class Daemon:
    """`settings` are given in its environment; all others have their defaults.

    `prepare` is given the state directory before it starts.
    """

    def __init__(self, prepare: Callable[[Path], object] = str, **settings: object) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tb", ignore_cleanup_errors=True)
        self.state = Path(self._folder.name)
        prepare(self.state)
        self.environment = _environment(self.state, settings)
        self._process = self._start()
        self.client = Client(self.state / "taskd.sock")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Whatever still runs goes down with it."""
        self.client.close()
        self._process.terminate()
        self._process.wait()
        for pid in processes_of(self.state):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._folder.cleanup()

    def kill_and_start(self, others: Iterable[int] = ()) -> float:
        """Seconds from the start of the next daemon until it has answered. Others of its processes
        are killed while there is none."""
        self._process.kill()
        self._process.wait()
        for pid in others:
            os.kill(pid, signal.SIGKILL)
        return self.start_again()

    def start_again(self) -> float:
        """The same after it was stopped in order, unless it has ended."""
        self.client.close()
        self._process.terminate()
        self._process.wait()
        begin = time.perf_counter()
        self._process = self._start()
        self.client = Client(self.state / "taskd.sock")
        self.client.find()
        return time.perf_counter() - begin

    def _start(self) -> subprocess.Popen[bytes]:
        ready, told = os.pipe()
        with (self.state / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", _RUN, str(told)],
                env=self.environment,
                pass_fds=[told],
                stderr=log,
            )
        os.close(told)
        with os.fdopen(ready, "rb") as file:
            if not file.read():
                raise RuntimeError((self.state / "log").read_text())
        return process

    def warm_up(self, action: str = "noop") -> None:
        """All slots have a host, and each has loaded the action."""
        self.run_all([("tasks.start", {"action": action})] * 50 * SLOTS)

    def run_all(self, requests: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Send all, with at most `WINDOW` in flight, and wait until all these tasks rest."""
        newest = self.newest
        for _ in in_flight(self.client, requests):
            pass
        self.wait_for_all(newest)

    def wait_for_all(self, after: int = 0) -> None:
        """Until those newer than task `after` rest; the last one started is not always the last."""
        self.client.wait("@last")
        with self.store() as store:
            while row := store.execute(_AT_WORK, (after,)).fetchone():
                self.client.wait(row[0])

    def check(self, count: int, after: int = 0, state: str = "stopped") -> None:
        """Those newer than task `after` are `count`, and all came to a good end (or all to an
        error, if paused), or the figure is worth nothing."""
        result = "success" if state == "stopped" else "error"
        with self.store() as store:
            ends = store.execute(_ENDS, (after,)).fetchall()
        if ends != [(state, result, count)]:
            raise RuntimeError(f"expected {count} tasks {state} with {result}, found {ends}")

    @property
    def newest(self) -> int:
        with self.store() as store:
            return int(store.execute("SELECT ifnull(max(id), 0) FROM tasks").fetchone()[0])

    @contextlib.contextmanager
    def store(self) -> Iterator[sqlite3.Connection]:
        uri = f"file:{self.state}/taskd.db?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as store:
            yield store

    @property
    def pid(self) -> int:
        return self._process.pid

    def hosts(self) -> list[int]:
        """The processes that run steps."""
        children = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(word) for file in children for word in file.read_text().split()]


def in_flight(
    client: Client, requests: Sequence[tuple[str, dict[str, Any]]], window: int = WINDOW
) -> Iterator[Any]:
    """The answers to `requests`, of which at most `window` are under way at any time."""
    numbers: list[int] = []
    sent = collected = 0
    while collected < len(requests):
        room = window - (len(numbers) - collected)
        if sent < len(requests) and room >= window // 8:
            more = requests[sent : sent + room]
            numbers += client.submit_many(more)
            sent += len(more)
        yield client.collect(numbers[collected])
        collected += 1


_AT_WORK = (
    "SELECT id FROM tasks WHERE state NOT IN ('stopped', 'paused') AND id > ?"
    " ORDER BY id DESC LIMIT 1"
)
_ENDS = "SELECT state, result, count(*) FROM tasks WHERE id > ? GROUP BY 1, 2"

_RUN = """
import sys
from taskd.daemon import run
from taskd.places import find_places
from taskd.service.notify import Systemd
sys.exit(run(find_places(), Systemd(), ready_fd=int(sys.argv[1])))
"""


def _environment(state: Path, settings: dict[str, object]) -> dict[str, str]:
    own = {name: text for name, text in os.environ.items() if not name.startswith("TASKD_")}
    given = {"state_dir": state, "action_paths": ACTIONS, "executor_slots": SLOTS} | settings
    return own | {f"TASKD_{name.upper()}": str(value) for name, value in given.items()}
