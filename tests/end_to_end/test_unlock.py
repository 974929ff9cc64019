"""Forced unlock: what runs is dead before anybody else has the lock, whatever it does about it.

`work.shell`, `work.python`   take `site:blog`; their second step ignores SIGTERM, as does what it
                              starts, unless there is the file LEDGER.calm
LEDGER.pids                   the processes that are to die
"""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from holding import hold, let_go, line_for, unchanging
from real_daemon import PATIENCE, Daemon, eventually, gone

SHELL = """\
label: work.shell
input: {ledger: str}
locks: ["site:blog"]
steps:
  first: {shell: 'echo first >> "$ledger"; echo done'}
  second:
    shell: |
      echo "second-$first" >> "$ledger"
      test -e "$ledger.calm" && exit
      trap '' TERM
      setsid sh -c 'echo $$ >> "$ledger.pids"; sleep 600; true' &
      echo $$ >> "$ledger.pids"
      wait
"""
PYTHON = """\
import os
import signal
import subprocess
import time

from taskd import Action, exclusive, step


class Work(Action, label="work.python"):
    ledger: str

    def locks(self):
        yield exclusive("site:blog")

    @step
    def first(self) -> str:
        self.note("first")
        return "done"

    @step
    def second(self, first: str) -> None:
        self.note(f"second-{first}")
        if os.path.exists(f"{self.ledger}.calm"):
            return
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        script = 'trap "" TERM; echo $$ >> "$0"; sleep 600; true'
        subprocess.Popen(["setsid", "sh", "-c", script, f"{self.ledger}.pids"])
        self.note(os.getpid(), ".pids")
        while True:
            time.sleep(1)

    def note(self, text, suffix=""):
        with open(self.ledger + suffix, "a") as file:
            file.write(f"{text}\\n")
"""
PARENT = """\
label: parent
input: {ledger: str}
locks: ["site:blog"]
steps:
  split:
    action: work.shell
    for_each: [1, 2]
    concurrency: 1
    input: {ledger: "{ledger}"}
"""
THREAD = """\
import os
import time

from taskd import Action, step


class Wait(Action, label="thread", isolation="thread"):
    go: str

    @step
    def work(self) -> str:
        while not os.path.exists(self.go):
            time.sleep(0.01)
        return "too late"
"""
KILLED = "killed by unlock"
UNLOCK = ("unlock", "--force", "--yes")


@pytest.fixture
def daemon(daemon: Daemon) -> Daemon:
    """It may unlock, and knows the actions."""
    daemon.configure(allow_dangerous_actions="true", executor_slots=2)
    daemon.write_action("shell.yaml", SHELL)
    daemon.write_action("python.py", PYTHON)
    daemon.write_action("parent.yaml", PARENT)
    daemon.write_action("thread.py", THREAD)
    return daemon


def begin(daemon: Daemon, label: str) -> int:
    """A task of `label` whose stubborn step has begun."""
    before = len(pids(daemon))
    task_id = daemon.start_action(label)
    eventually(lambda: len(pids(daemon)) == before + 2)
    return task_id


def begin_next(daemon: Daemon) -> int:
    """A task that waits for the lock; it notes who is still alive when it has it."""
    line = (
        f"for pid in $(cat {daemon.ledger}.pids); do"
        f" grep -s ^State /proc/$pid/status | grep -qv zombie && echo alive >> {daemon.ledger};"
        f" done; echo next >> {daemon.ledger}"
    )
    return daemon.start_task("exec", "--on-conflict", "wait", "--lock", "site:blog", "--", line)


def supervisor(daemon: Daemon) -> int:
    """The pid of that of the one command that runs."""
    [file] = daemon.state.glob("attempts/*/begun")
    return int(file.read_text())


@contextmanager
def deaf_supervisor(daemon: Daemon) -> Iterator[None]:
    """The one that runs can be told nothing until the end: without this file nobody knows it."""
    [begun] = daemon.state.glob("attempts/*/begun")
    hidden = begun.rename(begun.with_name("hidden"))
    try:
        yield
    finally:
        hidden.rename(begun)


@pytest.mark.parametrize("label", ["work.shell", "work.python"])
def test_all_of_a_running_step_is_dead_before_the_next_holder_begins(
    running: Daemon, label: str
) -> None:
    task_id = begin(running, label)
    following = begin_next(running)

    unlocked = running.taskctl(*UNLOCK, task_id)

    assert unlocked.returncode == 0
    assert all(map(gone, pids(running)))
    assert running.wait(following) == 0
    assert running.ledger_lines() == ["first", "second-done", "next"]
    task = running.show(task_id)
    assert (task["state"], task["result"], task["locks"]) == ("stopped", "error", [])
    assert steps(running, task_id) == [("first", "success"), ("second", "error")]
    assert [error["message"] for error in task["errors"]] == [KILLED]

    # It may be resumed: what has finished is not run again.
    Path(f"{running.ledger}.calm").touch()
    assert running.taskctl("resume", task_id).returncode == 0
    assert running.wait(task_id) == 0
    assert running.show(task_id)["result"] == "warning"
    assert running.ledger_lines() == ["first", "second-done", "next", "second-done"]


def test_sub_tasks_stop_too_before_the_lock_of_their_parent_is_free(running: Daemon) -> None:
    parent = begin(running, "parent")
    child, held = 2, 3
    following = begin_next(running)
    before = [running.show(task_id)["state"] for task_id in (parent, child, held)]

    with ThreadPoolExecutor() as pool, deaf_supervisor(running):
        unlocked = pool.submit(running.taskctl, *UNLOCK, parent)
        eventually(lambda: "unlocked" in events(running, parent))
        line = line_for(running)

    assert line == [(parent, True, []), (following, False, [parent])]
    assert unlocked.result().returncode == 0
    assert all(map(gone, pids(running)))
    assert running.wait(following) == 0
    assert running.ledger_lines() == ["first", "second-done", "next"]
    assert before == ["running", "running", "scheduled"]
    tasks = [running.show(task_id) for task_id in (parent, child, held)]
    assert [(task["state"], task["result"]) for task in tasks] == [("stopped", "error")] * 3
    assert [error["message"] for error in tasks[0]["errors"]] == [KILLED]
    assert ("unlocked", f"with task {parent}") in [
        (event["event"], event["detail"]) for event in tasks[2]["history"]
    ]

    # Resumed, the parent has them begin anew.
    Path(f"{running.ledger}.calm").touch()
    assert running.taskctl("resume", parent).returncode == 0
    assert running.wait(parent) == 0
    assert running.show(parent)["result"] == "warning"
    assert running.ledger_lines()[3:] == ["first", "second-done"] * 2


def test_unlock_of_a_paused_task_waits_for_a_sub_task_that_was_resumed(running: Daemon) -> None:
    parent = begin(running, "parent")
    child = 2
    os.kill(supervisor(running), signal.SIGKILL)
    eventually(lambda: len(pids(running)) == 4)  # the other sub-task is at work
    os.kill(supervisor(running), signal.SIGKILL)
    assert running.wait(parent) == 9
    assert running.taskctl("resume", child).returncode == 0
    eventually(lambda: len(pids(running)) == 6)

    with ThreadPoolExecutor() as pool, deaf_supervisor(running):
        unlocked = pool.submit(running.taskctl, "unlock", "--yes", parent)
        eventually(lambda: "unlocked" in events(running, parent))
        meanwhile = running.show(parent)["state"]

    assert meanwhile == "running"
    assert unlocked.result().returncode == 0
    assert all(map(gone, pids(running)))
    assert running.show(parent)["state"] == "stopped"


def test_waiting_task_is_unlocked_only_by_force_and_leaves_its_line(running: Daemon) -> None:
    holder = hold(running)
    first, second = begin_next(running), begin_next(running)
    before = unchanging(running.show(first))

    refused = running.taskctl("unlock", "--yes", first)
    unchanged = unchanging(running.show(first))
    forced = running.taskctl(*UNLOCK, first)

    assert (refused.returncode, unchanged) == (5, before)
    assert f"it is planned, not paused\n  hint: taskctl cancel {first}" in refused.stderr
    assert forced.returncode == 0
    assert [error["message"] for error in running.show(first)["errors"]] == [KILLED]
    assert line_for(running) == [(holder, True, []), (second, False, [holder])]

    # Resumed, it has its old place again.
    assert running.taskctl("resume", first).returncode == 0
    eventually(lambda: len(line_for(running)) == 3)
    assert line_for(running)[1:] == [(first, False, [holder]), (second, False, [holder, first])]
    let_go(running)
    assert running.wait(first, second) == 0
    assert [running.show(i)["result"] for i in (first, second)] == ["warning", "success"]


def test_what_does_not_die_is_given_up_and_heard_of_no_more(running: Daemon) -> None:
    stubborn = begin(running, "work.shell")
    threaded = running.start_task("run", "thread", f"go={running.root}/go")
    eventually(lambda: steps(running, threaded) == [("work", "running")])
    before = time.monotonic()

    with deaf_supervisor(running):
        unlocked = running.taskctl(*UNLOCK, stubborn, threaded)
        took = time.monotonic() - before
        tasks = [unchanging(running.show(task_id)) for task_id in (stubborn, threaded)]
        no_slot = running.start_task("exec", "--", "true")
        assert running.show(no_slot)["state"] == "planned"
        assert not any(map(gone, pids(running)))
    let_go(running)

    assert unlocked.returncode == 0
    assert 5 <= took < PATIENCE
    assert [(task["state"], task["result"]) for task in tasks] == [("stopped", "error")] * 2
    told = [error["message"] for task in tasks for error in task["errors"]]
    assert told == [f"{KILLED}, but not seen to end"] * 2
    assert running.wait(no_slot) == 0
    eventually(lambda: not list(running.state.glob("attempts/*")))
    assert all(map(gone, pids(running)))
    assert [unchanging(running.show(task_id)) for task_id in (stubborn, threaded)] == tasks


def test_next_daemon_finishes_what_a_killed_one_had_begun_to_unlock(running: Daemon) -> None:
    task_id = begin(running, "work.shell")
    following = begin_next(running)

    # The daemon dies between commit and kill.
    with ThreadPoolExecutor() as pool, deaf_supervisor(running):
        unlocked = pool.submit(running.taskctl, *UNLOCK, task_id)
        eventually(lambda: "unlocked" in events(running, task_id))
        running.kill_9()
    assert unlocked.result().returncode == 6
    assert "lost the daemon" in unlocked.result().stderr
    assert not any(map(gone, pids(running)))

    running.start()

    assert running.wait(task_id) == 8
    assert [error["message"] for error in running.show(task_id)["errors"]] == [KILLED]
    assert running.wait(following) == 0
    assert running.ledger_lines() == ["first", "second-done", "next"]


@pytest.mark.parametrize(
    ("words", "code", "step"),
    [(["cancel", "--force"], 10, "cancelled"), (UNLOCK, 8, "error")],
    ids=["cancel", "unlock"],
)
def test_steps_of_an_earlier_daemon_are_ended_with_all_that_they_started(
    running: Daemon, words: list[str], code: int, step: str
) -> None:
    task_id = begin(running, "work.python")
    following = begin_next(running)
    running.kill_9()
    running.start()

    done = running.taskctl(*words, task_id)

    assert done.returncode == 0
    assert running.wait(task_id) == code
    assert steps(running, task_id) == [("first", "success"), ("second", step)]
    assert running.wait(following) == 0
    assert running.ledger_lines() == ["first", "second-done", "next"]


def test_refused_unlock_changes_nothing(running: Daemon) -> None:
    busy = hold(running)
    ended = running.start_task("exec", "--", "true")
    assert running.wait(ended) == 0
    before = [unchanging(running.show(task_id)) for task_id in (busy, ended)]

    refused = [
        running.taskctl("unlock", "--yes", busy),
        running.taskctl("unlock", "--yes", ended),
        running.taskctl(*UNLOCK, ended),
        running.taskctl("unlock", "--force", busy),
        running.taskctl("resume", ended),
    ]

    assert [done.returncode for done in refused] == [5, 5, 5, 2, 5]
    assert "it is running, not paused" in refused[0].stderr
    assert "it is stopped (success)" in refused[1].stderr
    assert f"there is no terminal: taskctl unlock --force --yes {busy}\n" in refused[3].stderr
    assert [unchanging(running.show(task_id)) for task_id in (busy, ended)] == before


def pids(daemon: Daemon) -> list[int]:
    file = Path(f"{daemon.ledger}.pids")
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def steps(daemon: Daemon, task_id: int) -> list[tuple[str, str]]:
    return [(s["name"], s["state"]) for s in daemon.show(task_id)["steps"] if s["kind"] == "run"]


def events(daemon: Daemon, task_id: int) -> list[str]:
    return [event["event"] for event in daemon.show(task_id)["history"]]
