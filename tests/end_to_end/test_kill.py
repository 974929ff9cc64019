"""The daemon is killed again and again at random moments; each step still runs exactly once.

A step writes a line when it begins and gives back the same token, so the ledger tells how often it
ran, and the store whether its real result was kept. KILL_SEED repeats a run, KILL_ROUNDS prolongs.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest
from real_daemon import PATIENCE, Daemon, eventually

from taskd.client import Client
from taskd.model.errors import Unavailable

ROUNDS = int(os.environ.get("KILL_ROUNDS", "50"))
STEPS = ("first", "second", "third")

SHELL = """\
label: relay.shell
title: Relay {pause}
input: {ledger: str, pause: str}
steps:
""" + "".join(
    f"  {name}:\n"
    "    shell: |\n"
    '      echo "$TASKD_TASK_ID/$TASKD_STEP/$$" >> "$ledger"\n'
    '      sleep "$pause"\n'
    "      echo $$\n"
    for name in STEPS
)

PYTHON = '''\
import os
import time

from taskd import Action, step


class Relay(Action, label="relay.python"):
    ledger: str
    pause: str

    def title(self):
        time.sleep(float(self.pause) / 4)
        return f"Relay {self.pause}"

    @step
    def first(self) -> str:
        return self.pass_on("first")

    @step
    def second(self, first: str) -> str:
        return self.pass_on("second")

    @step
    def third(self, second: str) -> str:
        return self.pass_on("third")

    def pass_on(self, name):
        token = f"{os.getpid()}.{time.monotonic_ns()}"
        file = os.open(self.ledger, os.O_WRONLY | os.O_APPEND)
        os.write(file, f"{self.task.id}/{name}/{token}\\n".encode())
        os.close(file)
        time.sleep(float(self.pause))
        return token


class Quick(Relay, label="relay.quick"):
    """Many within the time between two commits."""

    def title(self):
        return "Quick"

    @step
    def first(self) -> str:
        return self.pass_on("first")

    @step
    def second(self, first: str) -> str:
        return self.pass_on("second")

    @step
    def third(self, second: str) -> str:
        return self.pass_on("third")
'''


class Killer:
    """Starts the daemon, gives it work, and kills it."""

    def __init__(self, daemon: Daemon, chance: random.Random) -> None:
        self._daemon = daemon
        self._chance = chance
        self._process: subprocess.Popen[bytes] | None = None
        self.task_ids: list[int] = []

    def start(self) -> None:
        """A daemon that answers; now and then one was killed before it did."""
        while self._chance.random() < 0.2:
            self._spawn()
            time.sleep(self._chance.uniform(0.0, 0.6))
            self.kill()
        self._spawn()
        try:
            eventually(self._answers)
        except AssertionError:
            self._tell_where_it_hangs()
            raise

    def kill(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        (self._daemon.state / "starts").unlink(missing_ok=True)  # or safe mode would end the test

    def round(self, number: int) -> None:
        """Work is asked for, perhaps in vain; the same request to the next daemon is no second."""
        requests = [self._request(number, count) for count in range(self._chance.randrange(1, 9))]
        with Client(self._daemon.socket) as client:
            client.submit("tasks.start_many", requests=requests)
            time.sleep(self._chance.choice((0.0, 0.01, self._chance.uniform(0.0, 0.8))))
            self.kill()
        self.start()
        with Client(self._daemon.socket) as client:
            self.task_ids += client.start_many(requests)

    def _spawn(self) -> None:
        with open(self._daemon.state / "taskd.log", "ab") as log:
            self._process = subprocess.Popen(
                [os.path.join(os.path.dirname(sys.executable), "taskd"), "run"],
                env=self._daemon.environment,
                stdout=log,
                stderr=log,
            )

    def _tell_where_it_hangs(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGABRT)
        self._process.wait()
        print(self._daemon.log()[-5000:])

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self._daemon.log()
        try:
            with Client(self._daemon.socket) as client:
                return bool(client.status())
        except Unavailable:
            return False

    def _request(self, number: int, count: int) -> dict[str, Any]:
        action = self._chance.choice(("relay.shell", "relay.python", "relay.quick"))
        pause = 0.0 if action == "relay.quick" else self._chance.choice((0.0, 0.0, 0.05, 0.3, 1.0))
        return {
            "action": action,
            "input": {"ledger": str(self._daemon.ledger), "pause": str(pause)},
            "key": f"{number}/{count}",
        }


@pytest.mark.parametrize("slots", [3, 8])
def test_each_step_runs_once_however_often_the_daemon_is_killed(daemon: Daemon, slots: int) -> None:
    seed = int(os.environ.get("KILL_SEED", time.time_ns() % 1_000_000))
    print(f"KILL_SEED={seed}")
    daemon.configure(executor_slots=slots)
    daemon.write_action("relay_shell.yaml", SHELL)
    daemon.write_action("relay.py", PYTHON)
    killer = Killer(daemon, random.Random(seed))

    killer.start()
    for number in range(ROUNDS // 2):
        killer.round(number)
    tasks = all_stopped(daemon, killer.task_ids)

    assert daemon.task_count() == len(killer.task_ids)
    assert wrong(tasks) == []
    assert counted_wrong(daemon, killer.task_ids) == {}
    assert {f"{t}/{s['name']}/{s['output']}" for t, s in steps_of(tasks)} == set(
        daemon.ledger_lines()
    )
    assert daemon.json("locks")["items"] == []
    killer.kill()
    assert eventually(lambda: not daemon.processes()), "something outlives its work"


def all_stopped(daemon: Daemon, task_ids: list[int]) -> list[Any]:
    """Each task, as `show` has it, once it rests."""
    with Client(daemon.socket) as client:
        for task_id in task_ids:
            client.wait(task_id, timeout=4 * PATIENCE)
    tasks = daemon.json("list", "--full", "--limit", len(task_ids))["items"]
    return list(tasks)


def wrong(tasks: list[Any]) -> list[Any]:
    """What did not end well, in short."""
    return [
        (t["id"], t["label"], t["state"], t["result"], [e["message"] for e in t["errors"]],
         [(s["name"], s["state"]) for s in t["steps"]])
        for t in tasks
        if (t["state"], t["result"]) != ("stopped", "success")
    ]  # fmt: skip


def counted_wrong(daemon: Daemon, task_ids: list[int]) -> dict[str, int]:
    """How often each step ran that did not run once."""
    ran = Counter(line.rpartition("/")[0] for line in daemon.ledger_lines())
    expected = {f"{task_id}/{name}" for task_id in task_ids for name in STEPS}
    return {name: ran[name] for name in expected | set(ran) if ran[name] != (name in expected)}


def steps_of(tasks: list[Any]) -> list[tuple[int, Any]]:
    return [(t["id"], s) for t in tasks for s in t["steps"] if s["kind"] == "run"]
