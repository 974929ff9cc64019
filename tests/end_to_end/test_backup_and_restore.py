"""`taskd backup` beside a daemon at work, and a daemon on what was restored."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from real_daemon import Daemon, eventually

from taskd.client import Client

ACTION = """\
label: work
input: {{ledger: str}}
steps:
  work:
    shell: echo work >> $ledger; until test -e $ledger.go; do sleep 0.02; done
    idempotent: {idempotent}
"""


@contextmanager
def load(daemon: Daemon) -> Iterator[list[int]]:
    """Tasks are started one after the other; the ids of those that were answered."""
    told: list[int] = []
    over = threading.Event()

    def start() -> None:
        with Client(daemon.socket) as client:
            while not over.is_set():
                told.append(client.exec("true", cwd="/", environment={}).id)

    starter = threading.Thread(target=start)
    starter.start()
    yield told
    over.set()
    starter.join()


def back_up(daemon: Daemon, name: str = "b.db") -> Path:
    target = daemon.root / name
    done = daemon.taskd("backup", str(target))
    assert done.returncode == 0, done.stderr
    return target


def restore(daemon: Daemon, *words: object) -> str:
    done = daemon.taskd("restore", *map(str, words))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_backup_under_load_has_all_that_was_answered_before_it_began(running: Daemon) -> None:
    with load(running) as told:
        eventually(lambda: len(told) > 50)
        before = list(told)
        target = back_up(running)
        going_on = len(told)
        eventually(lambda: len(told) > going_on)

    running.taskd("stop")
    restore(running, target)
    running.start()
    with Client(running.socket) as client:
        page = client.find(limit=1000)
    assert set(before) <= {task.id for task in page.items}
    assert page.total == len(page.items) < len(told)


@pytest.mark.parametrize(("name", "code"), [("b.db", 2), ("none/b.db", 1)])
def test_backup_that_cannot_be_written_is_refused_with_the_reason(
    running: Daemon, name: str, code: int
) -> None:
    (running.root / "b.db").write_text("mine")

    refused = running.taskd("backup", str(running.root / name))

    assert refused.returncode == code
    assert f"cannot write {running.root}/{name}: " in refused.stderr
    assert (running.root / "b.db").read_text() == "mine"


def test_refused_restore_changes_nothing(running: Daemon) -> None:
    target = back_up(running)
    running.wait(running.start_task("exec", "--", "true"))

    beside = running.taskd("restore", str(target))
    running.taskd("stop")
    target.write_bytes(target.read_bytes()[:-1])
    cut = running.taskd("restore", str(target))

    assert (beside.returncode, "hint: taskd stop" in beside.stderr) == (75, True)
    assert (cut.returncode, f"cannot use {target}: " in cut.stderr) == (78, True)
    again = running.taskd("backup", "--force", str(target))  # also without a daemon
    assert again.stdout.startswith(f"wrote {target}: 1 task, 0.")
    running.start()
    assert running.task_count() == 1


def test_restored_daemon_goes_on_and_gives_no_id_twice(running: Daemon) -> None:
    kept = running.start_task("exec", "--", "echo kept")
    running.wait(kept)
    target = back_up(running)
    lost = running.start_task("exec", "--", "echo lost")
    running.wait(lost)
    running.taskd("stop")

    said = restore(running, target)
    running.start()

    (aside,) = running.state.glob("replaced-*")
    assert f"the old store is in {aside}" in said
    assert running.task_count() == 1
    assert running.taskctl("logs", kept).stdout == "kept\n"
    new = running.start_task("exec", "--", "echo new")
    assert (running.wait(new), new) == (0, lost + 1)
    assert running.taskctl("logs", new).stdout == "new\n"


def test_lost_store_is_refused_with_the_command_that_helps(running: Daemon) -> None:
    target = back_up(running)
    lost = running.start_task("exec", "--", "echo lost")
    running.wait(lost)
    running.taskd("stop")
    (running.state / "taskd.db").write_bytes(b"a letter to the bank\n" * 500)

    refused = running.taskd("start")
    restore(running, target)
    running.start()

    assert (refused.returncode, "taskd restore FILE" in refused.stderr) == (78, True)
    assert running.start_task("exec", "--", "true") == lost + 1  # as its logs tell


@pytest.mark.parametrize("idempotent", [False, True])
def test_what_ran_when_the_backup_was_made_is_never_run_twice_unasked(
    daemon: Daemon, idempotent: bool
) -> None:
    daemon.write_action("work.yaml", ACTION.format(idempotent=str(idempotent).lower()))
    daemon.start()
    task_id = daemon.start_action("work")
    eventually(daemon.ledger_lines)
    target = back_up(daemon)
    Path(f"{daemon.ledger}.go").touch()
    assert daemon.wait(task_id) == 0
    daemon.taskd("stop")

    restore(daemon, target)
    daemon.start()

    if idempotent:
        assert daemon.wait(task_id) == 0
        assert daemon.ledger_lines() == ["work", "work"]
    else:
        assert daemon.wait(task_id) == 9
        assert daemon.ledger_lines() == ["work"]
        (error,) = daemon.show(task_id)["errors"]
        assert "it ran when the backup was made" in error["message"]


def test_step_that_still_runs_is_taken_up_by_the_restored_daemon(running: Daemon) -> None:
    task_id = running.start_task("exec", "--", "until test -e go; do sleep 0.02; done; echo done")
    eventually(lambda: running.show(task_id)["state"] == "running")
    target = back_up(running)
    running.taskd("stop")

    restore(running, target)
    running.start()

    (running.root / "go").touch()
    assert running.wait(task_id) == 0


def test_drained_restore_starts_nothing_until_somebody_has_looked(running: Daemon) -> None:
    running.taskctl("settings", "set", "executor_slots", "1")
    running.start_task("exec", "--", "until test -e go; do sleep 0.02; done")
    waiting = running.start_task("exec", "--", f"echo ran >> {running.ledger}")
    target = back_up(running)
    (running.root / "go").touch()
    running.wait(waiting)
    running.taskd("stop")

    said = restore(running, "--drain", target)
    running.start()

    assert said.endswith("taskd start; then look, and taskctl undrain\n")
    assert "by taskd restore: no step is started" in running.taskctl("list").stderr
    assert running.ledger_lines() == ["ran"]
    running.taskctl("undrain")
    assert running.wait(waiting) == 0
    assert running.ledger_lines() == ["ran", "ran"]
