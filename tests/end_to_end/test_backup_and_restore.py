"""`taskd backup` beside a daemon at work, and a daemon on what was restored."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from real_daemon import Daemon, eventually

from taskd.client import Client

ACTION = """\
label: {label}
input: {{gate: str}}
steps:
  work:
    shell: echo begun >> $gate.begun; until test -e $gate; do sleep 0.02; done; echo done
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


def test_backup_that_cannot_be_written_is_refused_with_the_reason(running: Daemon) -> None:
    there, nowhere = running.root / "b.db", running.root / "none" / "b.db"
    there.write_text("mine")

    refused = [running.taskd("backup", str(target)) for target in (there, nowhere)]

    assert [one.returncode for one in refused] == [2, 1]
    assert f"cannot write {there}: it is there already" in refused[0].stderr
    assert f"cannot write {nowhere}: No such file or directory" in refused[1].stderr
    assert there.read_text() == "mine"


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


def begin(daemon: Daemon, label: str, gate: str) -> int:
    """A task that has begun, and goes on until its gate is there."""
    task_id = daemon.start_task("run", label, f"gate={daemon.root / gate}")
    eventually((daemon.root / f"{gate}.begun").exists)
    return task_id


def test_what_ran_when_the_backup_was_made_is_never_run_twice_unasked(daemon: Daemon) -> None:
    daemon.write_action("once.yaml", ACTION.format(label="once", idempotent="false"))
    daemon.write_action("again.yaml", ACTION.format(label="again", idempotent="true"))
    daemon.start()
    ended = [begin(daemon, "once", "a"), begin(daemon, "again", "b")]
    still = begin(daemon, "once", "c")
    target = back_up(daemon)
    for gate in "ab":
        (daemon.root / gate).touch()
    assert [daemon.wait(task_id) for task_id in ended] == [0, 0]
    daemon.taskd("stop")

    restore(daemon, target)
    daemon.start()
    (daemon.root / "c").touch()

    assert [daemon.wait(task_id) for task_id in (*ended, still)] == [9, 0, 0]
    begun = [(daemon.root / f"{gate}.begun").read_text().split() for gate in "abc"]
    assert [len(lines) for lines in begun] == [1, 2, 1]
    (error,) = daemon.show(ended[0])["errors"]
    assert "it ran when the backup was made" in error["message"]


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
