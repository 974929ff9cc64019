"""A user's daemon under a real systemd: installed, asked for, killed, hung, restarted, rebooted."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from account import User
from lab import Lab, eventually

LOAD = Path(__file__).with_name("load.py")

PYTHON = """\
import time
from pathlib import Path

from taskd import action


@action(label="wait.python")
def wait(ledger: str, go_on: str) -> None:
    with open(ledger, "a") as file:
        file.write("python\\n")
    while not Path(go_on).exists():
        time.sleep(0.05)
"""

IDEMPOTENT = """\
label: again
input: {ledger: str}
steps:
  again:
    shell: 'echo again >> "$ledger"; [ $(grep -c again "$ledger") -gt 1 ] || sleep 1000'
    idempotent: true
"""


def test_installed_service_runs_from_boot_on_and_tells_how_it_is(user: User) -> None:
    installed = user.taskd("service", "install", "--user")

    assert f"taskd answers at {user.socket}" in installed.stdout
    assert installed.stderr == ""
    enabled = user.systemctl("is-enabled", "taskd.socket", "taskd.service")
    assert enabled.stdout.split() == ["enabled", "enabled"]
    assert user.unit("ActiveState") == "active"
    told = "running steps: 0; tasks: none unfinished"
    eventually(lambda: user.unit("StatusText") == told)


def test_request_starts_a_daemon_where_only_the_socket_is(service: User) -> None:
    service.systemctl("stop", "taskd.service")
    assert service.daemon == 0

    asked = service.taskctl("list", "-o", "json")

    assert json.loads(asked.stdout)["total"] == 0
    assert service.daemon != 0


def test_steps_outlive_a_killed_daemon_and_are_recorded_once(service: User, lab: Lab) -> None:
    service.write(service.home / ".config/taskd/actions/wait.py", PYTHON)
    shell = service.exec(a_waiting_line(service))
    python = int(
        service.taskctl(
            "run", "-q", "wait.python", f"ledger={service.ledger}", f"go_on={service.home}/go-on"
        ).stdout
    )
    eventually(lambda: sorted(service.lines()) == ["python", "shell"])
    killed = service.daemon

    lab.run("kill", "-9", killed)
    service.next_daemon(killed)
    service.run("touch", "go-on")

    assert service.taskctl("wait", shell, python, check=False).returncode == 0
    assert sorted(service.lines()) == ["python", "shell"]
    assert service.unit("NRestarts") == "1"


def test_watchdog_replaces_a_daemon_that_hangs(service: User, lab: Lab) -> None:
    drop_in = service.home / ".config/systemd/user/taskd.service.d/watchdog.conf"
    service.write(drop_in, "[Service]\nWatchdogSec=5\n")
    service.systemctl("daemon-reload")
    service.systemctl("restart", "taskd.service")
    task_id = service.exec(a_waiting_line(service))
    eventually(lambda: service.lines() == ["shell"])
    hung = service.daemon

    lab.run("kill", "-STOP", hung)
    service.next_daemon(hung)
    service.run("touch", "go-on")

    assert service.taskctl("wait", task_id, check=False).returncode == 0
    assert service.lines() == ["shell"]
    said = [entry["MESSAGE"] for entry in service.journal() if entry["_PID"] == str(hung)]
    assert "Fatal Python error: Aborted" in said, "it says where it hung"


def test_restarts_refuse_no_client_and_lose_no_request(service: User, lab: Lab) -> None:
    load = lab.start(*service.command(sys.executable, LOAD, 60, service.ledger))

    eventually(lambda: len(service.lines()) >= 1)
    service.systemctl("restart", "taskd.service")
    eventually(lambda: len(service.lines()) >= 20)
    service.taskd("restart")
    eventually(lambda: len(service.lines()) >= 40)
    service.systemctl("restart", "taskd.service")

    _, complaint = load.communicate(timeout=60)
    assert load.returncode == 0, complaint
    eventually(lambda: len(service.lines()) >= 60)
    assert sorted(map(int, service.lines())) == list(range(60))


def test_daemon_that_must_not_use_its_store_is_not_restarted(service: User) -> None:
    store = service.state / "taskd.db"
    service.systemctl("stop", "taskd.service")
    service.run("mv", store, "kept")
    service.write(store, "no store " * 100)

    asked = service.taskctl("list", check=False)
    eventually(lambda: service.unit("ActiveState") == "failed")
    started = service.taskd("start", check=False)

    reason = f"cannot use {store}: file is not a database"
    assert (asked.returncode, started.returncode) == (6, 1)
    assert f"the daemon cannot start: {reason}" in asked.stderr
    assert f"the service did not start: {reason}" in started.stderr
    assert service.unit("StatusText") == reason
    assert (service.unit("ExecMainStatus"), service.unit("NRestarts")) == ("78", "0")
    service.run("mv", "kept", store)
    assert service.taskd("start").returncode == 0, "it is put right"


def test_journal_has_priorities(service: User) -> None:
    service.write(service.home / ".config/taskd/taskd.yaml", "settings: {executor_slots: many}\n")
    service.systemctl("restart", "taskd.service", check=False)

    said = {entry["MESSAGE"]: entry["PRIORITY"] for entry in service.journal()}

    (told,) = [said[line] for line in said if line.endswith(f" answers at {service.socket}")]
    (refused,) = [said[line] for line in said if "executor_slots" in line]
    assert (told, refused) == ("6", "3")


def test_reload_heeds_the_configuration_and_refuses_a_wrong_one(service: User) -> None:
    file = service.home / ".config/taskd/taskd.yaml"

    service.write(file, "settings: {executor_slots: 7}\n")
    service.systemctl("reload", "taskd.service")
    service.write(file, "settings: {executor_slots: many}\n")
    refused = service.systemctl("reload", "taskd.service", check=False)

    assert refused.returncode != 0
    assert service.unit("ActiveState") == "active"
    assert json.loads(service.taskd("status", "-o", "json").stdout)["slots"] == 7


@pytest.mark.parametrize("end", [Lab.reboot, Lab.cut_power], ids=["reboot", "power cut"])
def test_service_is_back_after(end: Callable[[Lab], None], service: User, lab: Lab) -> None:
    service.write(service.home / ".config/taskd/actions/again.yaml", IDEMPOTENT)
    once = service.exec(a_waiting_line(service))
    again = int(service.taskctl("run", "-q", "again", f"ledger={service.ledger}").stdout)
    eventually(lambda: sorted(service.lines()) == ["again", "shell"])

    end(lab)
    eventually(lambda: service.taskctl("list", check=False).returncode == 0)

    assert service.taskctl("wait", once, check=False).returncode == 9, (
        "nobody knows: a person decides"
    )
    assert service.taskctl("wait", again, check=False).returncode == 0
    assert sorted(service.lines()) == ["again", "again", "shell"]


def test_daemon_that_was_started_by_hand_becomes_the_service(user: User) -> None:
    user.taskd("start")
    task_id = user.exec(a_waiting_line(user))
    eventually(lambda: user.lines() == ["shell"])

    installed = user.taskd("service", "install", "--user")
    user.run("touch", "go-on")

    assert "stopped the daemon that ran" in installed.stdout
    assert user.taskctl("wait", task_id, check=False).returncode == 0
    assert user.lines() == ["shell"]
    assert user.daemon != 0


def test_taskd_starts_and_stops_the_service(service: User) -> None:
    before = service.daemon

    service.taskd("restart")
    restarted = service.daemon
    service.taskd("stop")
    stopped = service.systemctl("is-active", "taskd.socket", "taskd.service", check=False)
    asked = service.taskctl("list", check=False)
    service.taskd("start")

    assert 0 != before != restarted != 0
    assert stopped.stdout.split() == ["inactive", "inactive"]
    assert asked.returncode == 6
    assert service.daemon != 0


def test_socket_whose_file_was_removed_is_opened_again(service: User) -> None:
    service.run("rm", service.socket)

    service.taskd("start")

    assert service.taskctl("list").returncode == 0
    assert service.daemon != 0


def test_uninstalling_keeps_tasks_and_running_steps(service: User) -> None:
    task_id = service.exec(a_waiting_line(service))
    eventually(lambda: service.lines() == ["shell"])

    service.taskd("service", "uninstall", "--user")
    units = service.systemctl("list-unit-files", "taskd.*", check=False)
    asked = service.taskctl("list", check=False)
    service.run("touch", "go-on")
    service.taskd("start")

    assert "0 unit files listed" in units.stdout
    assert "no such socket" in asked.stderr
    assert service.taskctl("wait", task_id, check=False).returncode == 0
    assert service.lines() == ["shell"]


def test_service_finds_its_places_whatever_they_are_called(user: User) -> None:
    state = user.home / '$HOME 100% "of" it\'s \\x'

    user.taskd("service", "install", "--user", "--state-dir", state)
    user.systemctl("reload", "taskd.service")

    found = json.loads(user.taskd("status", "-o", "json", "--state-dir", state).stdout)
    assert (found["state_dir"], found["pid"]) == (str(state), user.daemon)


def a_waiting_line(user: User) -> str:
    """A command that writes into the ledger once, and ends when it may go on."""
    return f"echo shell >> {user.ledger}; while [ ! -e {user.home}/go-on ]; do sleep 0.05; done"
