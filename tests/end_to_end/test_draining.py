"""`taskctl drain` and `undrain`: nothing starts, what runs goes on, nothing is lost or refused."""

import os
from functools import partial
from pathlib import Path

import pytest
from real_daemon import PATIENCE, Daemon, eventually

from taskd.client import Client

ACTIONS = """\
import time
from pathlib import Path

from taskd import Action, Retry, Snooze, exclusive, step


class Work(Action, label="work"):
    ledger: str

    @step
    def work(self) -> None:
        with open(self.ledger, "a") as file:
            file.write("work\\n")
        while not Path(self.ledger + ".go").exists():
            time.sleep(0.01)

    @step
    def follow(self) -> None:
        pass


class Again(Action, label="again"):
    @step(retry=Retry(1, delay=3))
    def work(self) -> None:
        assert self.task.attempt == 2


class Nap(Action, label="nap"):
    @step
    def work(self) -> Snooze | None:
        return None if self.task.kept else Snooze(3, keep=True)


class Locked(Action, label="locked", on_conflict="wait"):
    def locks(self):
        return [exclusive("site:blog")]

    @step
    def work(self) -> None:
        pass
"""


@pytest.fixture
def daemon(daemon: Daemon) -> Daemon:
    daemon.write_action("work.py", ACTIONS)
    daemon.configure(executor_slots=8, allow_dangerous_actions=True)
    return daemon


def begin(daemon: Daemon, client: Client) -> list[int]:
    """A step that runs until it is let go, with one behind it; a retry and a snooze; a command with
    a lock, and a task that waits for this."""
    line = f"echo lock >> {daemon.ledger}; until test -e {daemon.ledger}.go; do sleep 0.01; done"
    environment = {"PATH": os.environ["PATH"]}
    work = client.start("work", {"ledger": str(daemon.ledger)})
    holder = client.exec(line, cwd="/", environment=environment, locks=["site:blog"])
    eventually(lambda: sorted(daemon.ledger_lines()) == ["lock", "work"])
    waiting = [client.start(label) for label in ("again", "nap", "locked")]
    eventually(lambda: all(waits_for_time(client, task.id) for task in waiting[:2]))
    return [task.id for task in (work, holder, *waiting)]


def waits_for_time(client: Client, task_id: int) -> bool:
    return any(step.due_at for step in client.get(task_id).steps.values())


def let_go(daemon: Daemon) -> None:
    Path(f"{daemon.ledger}.go").touch()


def states(client: Client, task_ids: list[int]) -> list[str]:
    """Of their last steps."""
    return [str([*client.get(task_id).steps.values()][-1].state) for task_id in task_ids]


def test_drained_daemon_ends_what_runs_and_starts_nothing_until_undrained(running: Daemon) -> None:
    with Client(running.socket) as client:
        begun = begin(running, client)
        client.drain()
        begun.append(client.start("nap").id)

        let_go(running)
        eventually(lambda: client.status()["running_steps"] == 0)
        running.taskd("restart")

    with Client(running.socket) as client:
        assert client.status()["state"] == "drained"
        eventually(lambda: not any(map(partial(waits_for_time, client), begun)))
        assert client.status()["running_steps"] == 0
        assert states(client, begun) == [
            "pending",  # behind the one that ran
            "success",  # ran
            "pending",  # to be tried again, and due by now
            "suspended",  # due by now
            "pending",  # the lock was given to it
            "pending",  # not even planned
        ]
        client.undrain()
        assert {client.wait(i, timeout=PATIENCE).result for i in begun} == {"success"}
    assert sorted(running.ledger_lines()) == ["lock", "work"]


def test_drain_and_undrain_say_what_is_so_however_often(running: Daemon) -> None:
    with Client(running.socket) as client:
        begin(running, client)

        drained = [running.taskctl("drain"), running.taskctl("drain")]
        late = running.taskctl("drain", "--wait", "--timeout", "0.1")
        listed = running.taskctl("list")
        shown = running.taskd("status").stdout
        let_go(running)
        ended = running.taskctl("drain", "--wait")
        undrained = [running.taskctl("undrain"), running.taskctl("undrain")]

    text = "drained; still at work: 2 steps. taskctl drain --wait, or undrain\n"
    assert [(done.returncode, done.stdout) for done in drained] == [(0, text)] * 2
    assert (late.returncode, "still at work after 0.1 s: 2 steps" in late.stderr) == (7, True)
    assert "no step is started; taskctl undrain" in listed.stderr
    assert "drained since" in shown
    assert (ended.returncode, ended.stdout.split(".")[0]) == (0, "drained; no step runs")
    assert [done.returncode for done in undrained] == [0, 0]
    assert [done.stdout for done in undrained] == ["steps start again\n", "it was not drained\n"]


def test_cancel_and_unlock_work_while_drained(running: Daemon) -> None:
    with Client(running.socket) as client:
        begun = begin(running, client)
        client.drain()
        new = client.start("nap").id
        work, holder, again, nap, locked = begun

        cancelled = running.taskctl("cancel", work, again, nap, new)
        unlocked = running.taskctl("unlock", "--force", "--yes", holder)

        assert (cancelled.returncode, unlocked.returncode) == (0, 0)
        results = [str(client.wait(i, timeout=PATIENCE).result) for i in (work, again, nap, new)]
        assert results == ["cancelled"] * 4
        assert client.get(holder).result == "error"
        eventually(lambda: [each.task_id for each in client.locks("site:blog")] == [locked])
        assert states(client, [locked]) == ["pending"]
