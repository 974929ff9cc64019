"""What a step, or a person with a file manager, can do to a daemon and to what runs for it."""

import shutil
from pathlib import Path

import pytest
from real_daemon import Daemon, eventually

STEPS = """\
import contextlib
import os
import stat
import sys
from typing import Any
from taskd import action

@action(label="stray")
def stray(text: str, times: int) -> None:
    for descriptor in range(3, 60):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.write(descriptor, text.encode() * times)

@action(label="nested")
def nested(levels: int) -> Any:
    sys.setrecursionlimit(10**6)
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value
"""


@pytest.fixture
def stopped_supervisor(running: Daemon) -> Daemon:
    """A command that has stopped its supervisor, and works on in a task that holds a lock."""
    running.configure(allow_dangerous_actions="true", cancel_grace="0s")
    running.taskd("reload")
    line = f"kill -STOP $PPID; while sleep 0.1; do echo at work >> {running.ledger}; done"
    running.start_task("exec", "--lock", "site:blog", "--time-limit", "1h", "--", line)
    eventually(running.ledger_lines)
    return running


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.mark.parametrize(
    "words", [["cancel"], ["cancel", "--force"], ["unlock", "--force", "--yes"]], ids=" ".join
)
def test_command_that_stopped_its_supervisor_can_be_ended(
    stopped_supervisor: Daemon, words: list[str]
) -> None:
    answered = stopped_supervisor.taskctl(*words, "1")

    assert answered.returncode == 0
    stopped_supervisor.wait(1)
    assert not [pid for pid in stopped_supervisor.others() if "at work" in command_of(pid)]
    assert "not seen to end" not in stopped_supervisor.taskctl("show", "1", "--history").stdout


def test_time_is_up_also_for_a_command_that_stopped_its_supervisor(running: Daemon) -> None:
    line = "kill -STOP $PPID; sleep 600"

    task_id = running.start_task("exec", "--time-limit", "1s", "--", line)

    assert running.wait(task_id) == 9
    assert running.show(task_id)["errors"][0]["kind"] == "timeout"


@pytest.mark.parametrize(
    ("text", "times"),
    [("[]\n", 1), ("stray\n", 1), ('{"outcome": "Nosuch"}\n', 1), ("x", 3_000_000)],
    ids=["list", "text", "outcome", "much"],
)
def test_step_that_writes_to_where_its_host_answers_is_interrupted(
    running: Daemon, text: str, times: int
) -> None:
    (running.actions / "odd.py").write_text(STEPS)

    task_id = running.start_task("run", "stray", f"text={text}", f"times={times}")

    assert running.wait(task_id) == 9
    (error,) = running.show(task_id)["errors"]
    assert (error["kind"], "something else was written" in error["message"]) == (
        "interrupted",
        True,
    )
    assert "Traceback" not in running.log()
    assert running.taskctl("run", "nested", "levels=1", "--wait").returncode == 0


@pytest.mark.parametrize("levels", [101, 985, 1500])
def test_output_that_is_nested_too_deeply_is_refused(running: Daemon, levels: int) -> None:
    (running.actions / "odd.py").write_text(STEPS)

    task_id = running.start_task("run", "nested", f"levels={levels}")

    assert running.wait(task_id) == 9
    assert "nested more than 100 levels" in running.show(task_id)["errors"][0]["message"]


def test_step_whose_folder_was_removed_is_interrupted_and_not_run_again(running: Daemon) -> None:
    line = f"echo begun >> {running.ledger}; until test -e {running.root}/go; do sleep 0.05; done"
    task_id = running.start_task("exec", "--", line)
    eventually(running.ledger_lines)

    shutil.rmtree(running.state / "attempts")
    (running.root / "go").touch()

    assert running.wait(task_id) == 9
    assert running.show(task_id)["errors"][0]["kind"] == "interrupted"
    assert running.ledger_lines() == ["begun"]


def test_step_that_ends_after_its_state_directory_was_moved_has_ended(running: Daemon) -> None:
    task_id = running.start_task(
        "exec", "--", f"until test -e {running.root}/go; do sleep 0.05; done"
    )
    eventually(lambda: list(running.state.glob("attempts/*/begun")))
    running.taskd("stop")
    elsewhere = running.state.rename(running.root / "elsewhere")

    (running.root / "go").touch()
    eventually(lambda: list(elsewhere.glob("attempts/*/exit")))
    elsewhere.rename(running.state)
    running.start()

    assert running.wait(task_id) == 0


@pytest.mark.parametrize("place", ["attempts", "hosts"])
def test_what_a_person_has_put_among_its_folders_keeps_no_daemon_from_starting(
    running: Daemon, place: str
) -> None:
    task_id = running.start_task("exec", "--", "sleep 0.5")
    eventually(lambda: list(running.state.glob("attempts/*/begun")))
    (running.state / place / "notes.txt").mkdir(parents=True)
    (running.state / place / "123").touch()

    running.taskd("restart")

    assert running.wait(task_id) == 0


def test_what_somebody_has_written_into_the_lock_is_not_repeated(running: Daemon) -> None:
    (running.state / "lock").write_bytes(b"\x1b[2J\xff")

    second = running.taskd("start")

    assert second.returncode == 75
    assert second.stderr.startswith(f"taskd: another daemon has {running.state}\n")


def test_removed_lock_lets_no_second_daemon_in(running: Daemon) -> None:
    (running.state / "lock").unlink()

    second = running.taskd("run")

    assert second.returncode == 75
    assert running.taskctl("exec", "--wait", "--", "true").returncode == 0


def test_logs_of_a_store_that_is_gone_are_of_no_new_task(running: Daemon) -> None:
    running.taskctl("exec", "--wait", "--", "echo old")
    running.taskd("stop")
    for file in running.state.glob("taskd.[dm]*"):
        file.unlink()

    running.start()
    running.taskctl("exec", "--wait", "--", "echo new")

    assert running.taskctl("logs", "1").stdout.split()[-1:] == ["new"]
    assert "old" not in running.taskctl("logs", "1").stdout
    assert list(running.state.glob("logs.old-1/*/1/*"))


def test_what_a_new_store_does_not_know_does_not_work_on(running: Daemon) -> None:
    running.start_task("exec", "--", "sleep 600")
    eventually(lambda: list(running.state.glob("attempts/*/begun")))
    running.taskd("stop")
    for file in running.state.glob("taskd.[dm]*"):
        file.unlink()

    running.start()

    eventually(lambda: not list(running.state.glob("attempts/*")))
    assert "is of no step that runs: it is killed" in running.log()
    assert [pid for pid in running.others() if "sleep" in command_of(pid)] == []


@pytest.mark.parametrize("name", ["attempts", "logs", "hosts", "backups"])
def test_check_names_a_file_that_is_in_the_way(daemon: Daemon, name: str) -> None:
    daemon.state.mkdir(exist_ok=True)
    (daemon.state / name).write_text("")

    checked = daemon.taskd("check")

    assert checked.returncode == 1
    assert f"{name} is no folder" in checked.stdout + checked.stderr
