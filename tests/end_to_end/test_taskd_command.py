"""The command `taskd`: start, stop and look at a real daemon."""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from real_daemon import eventually

from taskd.client import Client


class Taskd:
    """The command with a state directory of its own, whose name is short enough for a socket."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.socket = state / "taskd.sock"

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        own = {name: text for name, text in os.environ.items() if not name.startswith("TASKD_")}
        return subprocess.run(
            [sys.executable, "-m", "taskd", *arguments],
            env=own | {"TASKD_STATE_DIR": str(self.state)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("status", "-o", "json").stdout)
        return found


@pytest.fixture
def taskd() -> Iterator[Taskd]:
    with tempfile.TemporaryDirectory(prefix="td", ignore_cleanup_errors=True) as folder:
        command = Taskd(Path(folder))
        yield command
        command("stop")


def test_its_commands_load_no_daemon() -> None:
    code = "import sys, taskd.cli; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {"taskd.daemon", "taskd.store", "daemon", "sqlite3"} & set(ran.stdout.split())


def test_started_daemon_answers_and_a_stopped_one_is_gone(taskd: Taskd) -> None:
    started = taskd("start")
    with Client(taskd.socket) as client:
        pid = client.status()["pid"]
    stopped = taskd("stop")

    assert (started.returncode, stopped.returncode) == (0, 0)
    assert not Path(f"/proc/{pid}/cwd").exists()
    assert taskd("status").returncode == 6


def test_stopping_where_nothing_runs_is_no_error(taskd: Taskd) -> None:
    stopped = taskd("stop")

    assert (stopped.returncode, stopped.stderr) == (0, "")
    assert f"no daemon runs at {taskd.socket}" in stopped.stdout


def test_second_daemon_names_the_first(taskd: Taskd) -> None:
    taskd("start")
    pid = taskd.status()["pid"]

    again = [taskd("start"), taskd("run")]

    assert [one.returncode for one in again] == [75, 75]
    assert all(f"another daemon (pid {pid})" in one.stderr for one in again)


def test_stop_that_waits_lets_steps_end_and_starts_none(taskd: Taskd) -> None:
    (taskd.state / "taskd.yaml").write_text("settings:\n  executor_slots: 1\n")
    taskd("start")
    go_on = taskd.state / "go-on"
    with Client(taskd.socket) as client:
        command = f"while [ ! -e {go_on} ]; do sleep 0.05; done"
        first, second = (client.exec(command, cwd="/", environment={}).id for _ in range(2))
        client.submit("daemon.stop", wait=True)
        eventually(lambda: taskd.status()["state"] == "stopping")
        go_on.touch()
        eventually(lambda: not taskd.socket.exists())

    stopped = datetime.now(UTC)
    taskd("start")
    with Client(taskd.socket) as client:
        assert client.wait(first, timeout=20).result == "success"
        assert client.wait(second, timeout=20).result == "success"
        ended, started = client.get(first).ended_at, client.get(second).started_at
        assert ended
        assert started
        assert ended < stopped < started


def test_restart_makes_another_process(taskd: Taskd) -> None:
    taskd("start")
    before = taskd.status()["pid"]

    restarted = taskd("restart", "--wait")

    assert restarted.returncode == 0
    assert taskd.status()["pid"] != before


def test_restart_with_a_wrong_configuration_stops_nothing(taskd: Taskd) -> None:
    taskd("start")
    before = taskd.status()["pid"]
    (taskd.state / "taskd.yaml").write_text("settings:\n  executor_slots: many\n")

    restarted = taskd("restart")

    assert (restarted.returncode, restarted.stdout) == (78, "")
    assert "taskd.yaml:2: executor_slots" in restarted.stderr
    assert taskd.status()["pid"] == before


def test_signal_stops_the_daemon_whichever_thread_the_kernel_gives_it(taskd: Taskd) -> None:
    taskd("start")
    pid = taskd.status()["pid"]
    others = [int(name) for name in os.listdir(f"/proc/{pid}/task") if int(name) != pid]

    with closing(open(os.pidfd_open(pid))) as process:
        assert ctypes.CDLL(None).tgkill(pid, others[0], signal.SIGTERM) == 0

        assert select.select([process], [], [], 30)[0]


@pytest.mark.parametrize("command", ["run", "start", "restart"])
def test_named_configuration_must_be_there(taskd: Taskd, command: str) -> None:
    missing = taskd.state / "none.yaml"

    refused = taskd(command, "--config", str(missing))

    told = f"taskd: cannot read {missing}: No such file or directory\n"
    assert (refused.returncode, refused.stdout, refused.stderr) == (78, "", told)


def test_started_daemon_has_the_umask_of_its_caller_and_no_terminal(taskd: Taskd) -> None:
    before = os.umask(0o027)
    try:
        taskd("start")
    finally:
        os.umask(before)

    process = Path(f"/proc/{taskd.status()['pid']}")
    assert "Umask:\t0027" in (process / "status").read_text()
    assert (process / "cwd").readlink() == Path("/")
    assert (process / "fd/1").readlink() == taskd.state / "taskd.log"
    assert (taskd.state / "taskd.log").stat().st_mode & 0o777 == 0o600


def test_wrong_configuration_keeps_the_daemon_from_starting(taskd: Taskd) -> None:
    (taskd.state / "taskd.yaml").write_text("settings:\n  executor_slots: many\n")

    started = [taskd("start"), taskd("run")]

    assert [one.returncode for one in started] == [78, 78]
    assert all("taskd.yaml:2: executor_slots: cannot read 'many'" in one.stderr for one in started)


def test_reload_keeps_the_settings_when_the_new_ones_are_wrong(taskd: Taskd) -> None:
    taskd("start")
    (taskd.state / "taskd.yaml").write_text("settings:\n  executor_slots: many\n")

    reloaded = taskd("reload")

    assert reloaded.returncode == 78
    assert "taskd.yaml:2: executor_slots" in reloaded.stderr
    assert taskd.status()["slots"] == 4


def test_reload_changes_the_number_of_slots_at_once(taskd: Taskd) -> None:
    (taskd.state / "taskd.yaml").write_text("settings:\n  executor_slots: 1\n")
    taskd("start")
    with Client(taskd.socket) as client:
        first, second = (client.exec(["sleep", "30"], cwd="/", environment={}).id for _ in range(2))
        (taskd.state / "taskd.yaml").write_text("settings:\n  executor_slots: 2\n")

        assert taskd.status()["running_steps"] == 1
        assert taskd("reload").returncode == 0
        eventually(lambda: taskd.status()["running_steps"] == 2)
        assert taskd.status()["slots"] == 2
        for task_id in (first, second):
            client.cancel(task_id, force=True)


def test_reload_reads_the_actions_again(taskd: Taskd) -> None:
    taskd("start")
    (taskd.state / "actions").mkdir()
    (taskd.state / "actions/hello.yaml").write_text(
        "label: hello\nsteps:\n  say: {shell: echo hi}\n"
    )

    reloaded = taskd("reload")

    assert reloaded.returncode == 0
    assert taskd.status()["actions"] == 1


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_no_socket_is_left_where_it_is(taskd: Taskd, kind: str) -> None:
    precious = taskd.state / "precious"
    precious.mkdir() if kind == "folder" else precious.write_text("text")

    started = taskd("--socket", str(precious), "start")

    assert started.returncode == 78
    assert f"cannot listen at {precious}: there is something that is no socket" in started.stderr
    assert precious.is_dir() or precious.read_text() == "text"


def test_folder_of_the_socket_must_be_there(taskd: Taskd) -> None:
    started = taskd("--socket", str(taskd.state / "none" / "x"), "start")

    assert started.returncode == 78
    assert "cannot listen at" in started.stderr


def test_commands_work_where_the_working_directory_is_gone(taskd: Taskd) -> None:
    script = 'mkdir "$1/gone"; cd "$1/gone"; rmdir "$1/gone"; shift; "$@"'
    command = ["sh", "-c", script, "sh", str(taskd.state), sys.executable, "-m", "taskd", "status"]

    done = subprocess.run(
        command,
        env=os.environ | {"TASKD_STATE_DIR": str(taskd.state)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 6
    assert done.stderr.startswith("taskd: no daemon at")


def test_damaged_store_is_refused_and_left_alone(taskd: Taskd) -> None:
    store = taskd.state / "taskd.db"
    store.write_bytes(b"no store at all" * 1000)

    started = taskd("start")

    assert started.returncode == 78
    assert str(store) in started.stderr
    assert store.read_bytes() == b"no store at all" * 1000


def test_check_names_all_that_is_wrong_with_its_place(taskd: Taskd) -> None:
    (taskd.state / "taskd.yaml").write_text("settings:\n  executor_slot: 3\n")
    (taskd.state / "actions").mkdir()
    (taskd.state / "actions/broken.py").write_text("\nimport no_such_module\n")
    (taskd.state / "taskd.db").write_bytes(b"no store at all" * 1000)

    checked = taskd("check")

    config, action, store = checked.stdout.splitlines()
    assert checked.returncode == 1
    assert config.endswith(
        "taskd.yaml:2: unknown setting 'executor_slot'; did you mean 'executor_slots'?"
    )
    assert "broken.py:2: ModuleNotFoundError" in action
    assert store == (
        f"cannot use {taskd.state}/taskd.db: file is not a database;"
        " move it away, or restore a backup: taskd restore FILE"
    )


def test_check_names_a_configuration_that_is_not_there(taskd: Taskd) -> None:
    default = taskd("check")
    named = taskd("check", "--config", "/none.yaml")

    assert default.returncode == 0
    assert (named.returncode, named.stderr) == (1, "")
    assert named.stdout == "cannot read /none.yaml: No such file or directory\n"


def test_check_names_folders_of_actions_that_cannot_be_read(taskd: Taskd) -> None:
    config, loop = taskd.state / "taskd.yaml", taskd.state / "actions"
    config.write_text(f"settings:\n  action_paths: [/none, {config}]\n")
    loop.symlink_to(loop)

    checked = taskd("check")

    assert (checked.returncode, checked.stderr) == (1, "")
    assert checked.stdout.splitlines() == [
        f"cannot read the folder of actions {loop}: Too many levels of symbolic links",
        "cannot read the folder of actions /none: No such file or directory",
        f"cannot read the folder of actions {config}: Not a directory",
    ]


def test_check_says_in_a_line_that_a_store_cannot_be_reached(taskd: Taskd) -> None:
    state = taskd.state / ("x" * 300)

    checked = taskd("check", "--state-dir", str(state))

    assert (checked.returncode, checked.stderr) == (1, "")
    told = f"cannot read {state}/taskd.mark, which says what the store must hold: "
    assert checked.stdout.startswith(told)
    assert "File name too long" in checked.stdout


def test_sections_without_an_effect_are_noted(taskd: Taskd) -> None:
    (taskd.state / "taskd.yaml").write_text("settings: {}\ngrants: []\n")

    checked = taskd("check")
    taskd("start")

    note = f"{taskd.state}/taskd.yaml:2: the section 'grants' has no effect in this version"
    assert (checked.returncode, checked.stderr) == (0, f"{note}\n")
    assert f"WARNING {note}" in (taskd.state / "taskd.log").read_text()


def test_check_works_beside_a_running_daemon(taskd: Taskd) -> None:
    taskd("start")

    checked = taskd("check")

    assert (checked.returncode, checked.stderr) == (0, "")


def test_places_may_stand_before_or_after_the_command(taskd: Taskd) -> None:
    taskd("start")
    elsewhere = str(taskd.state / "elsewhere.sock")

    before = taskd("--socket", elsewhere, "status")
    after = taskd("status", "--socket", elsewhere)

    assert (before.returncode, after.returncode) == (6, 6)
    assert elsewhere in before.stderr
    assert elsewhere in after.stderr


def test_unknown_option_is_a_usage_error(taskd: Taskd) -> None:
    assert taskd("status", "--nonsense").returncode == 2
