"""A daemon whose predecessors died at their start answers, starts nothing, and says why."""

import json
import subprocess
from typing import Any

from real_daemon import COMMANDS, Daemon, eventually

from taskd.client import Client
from taskd.model.errors import Unavailable


def test_after_five_deaths_nothing_is_started_until_a_restart(running: Daemon) -> None:
    go_on = running.root / "go-on"
    at_work = running.start_task("exec", "--", f"while [ ! -e {go_on} ]; do sleep 0.05; done")
    eventually(lambda: running.show(at_work)["state"] == "running")
    running.taskd("stop")

    die(running, times=5)
    started = running.taskd("start")
    waiting = running.start_task("exec", "--", "true")
    unwanted = running.start_task("exec", "--", "false")
    waited = running.taskctl("wait", "--timeout", "0.5s", waiting)
    doctor = running.taskctl("doctor")
    go_on.touch()

    assert status(running)["state"] == "safe mode"
    assert doctor.returncode == 1
    assert "1 problem\n  at work  the daemon is in safe mode" in doctor.stdout
    assert started.returncode == 0
    assert waited.returncode == 7
    for told in (started.stderr, waited.stderr, running.log(), status(running)["note"]):
        assert "safe mode" in told
        assert "taskd restart" in told
    assert running.wait(at_work) == 0
    assert running.taskctl("cancel", unwanted).returncode == 0
    assert running.taskd("reload").returncode == 0
    assert running.show(waiting)["state"] == "planned"

    restarted = running.taskd("restart")

    assert (restarted.returncode, restarted.stderr) == (0, "")
    assert running.wait(waiting) == 0
    assert running.show(unwanted)["result"] == "cancelled"


def test_task_resumed_in_safe_mode_goes_on_after_it(running: Daemon) -> None:
    file = running.root / "file"
    task_id = running.start_task("exec", "--", f"cat {file}")
    assert running.wait(task_id) == 9
    running.taskd("stop")
    die(running, times=5)
    running.start()
    file.touch()

    resumed = running.taskctl("resume", task_id)
    step = running.show(task_id)["steps"][-1]
    running.taskd("restart")

    assert resumed.returncode == 0
    assert "safe mode" in resumed.stderr
    assert step["state"] == "pending"
    assert running.wait(task_id) == 0


def test_four_deaths_are_not_enough_and_one_that_lived_on_is_none(daemon: Daemon) -> None:
    die(daemon, times=4)
    daemon.start()
    eventually(lambda: len(notes(daemon)) == 4)
    daemon.kill_9()

    daemon.start()

    assert status(daemon)["state"] == "running"
    assert daemon.taskctl("exec", "--wait", "--", "true").returncode == 0


def test_deaths_more_than_five_minutes_ago_do_not_count(daemon: Daemon) -> None:
    die(daemon, times=5)
    long_ago = [f"{float(note) - 300}\n" for note in notes(daemon)]
    (daemon.state / "starts").write_text("".join(long_ago))

    daemon.start()

    assert len(long_ago) == 5
    assert status(daemon)["state"] == "running"


def test_clean_stop_is_no_death_and_clears_those_before_it(daemon: Daemon) -> None:
    die(daemon, times=4)
    daemon.start()
    daemon.taskd("stop")
    die(daemon, times=1)

    daemon.start()

    assert status(daemon)["state"] == "running"


def test_daemon_that_dies_of_its_recovery_answers_in_safe_mode(daemon: Daemon) -> None:
    cause = daemon.state / "attempts"
    cause.write_text("no folder")

    died = [daemon.taskd("start").returncode for _ in range(5)]
    daemon.start()
    answered = status(daemon)
    doctor = daemon.taskctl("doctor", "-o", "json")
    cause.unlink()
    daemon.taskd("restart")

    assert died == [1] * 5
    assert answered["state"] == "safe mode"
    assert "cannot take up what was running" in daemon.log()
    assert "cleanup: not yet done" in doctor.stdout
    assert status(daemon)["state"] == "running"


def die(daemon: Daemon, times: int) -> None:
    """So many daemons are killed, each as soon as it answers."""
    for _ in range(times):
        process = subprocess.Popen(
            [COMMANDS / "taskd", "run"], env=daemon.environment, stderr=subprocess.DEVNULL
        )
        eventually(lambda: answers(daemon))
        process.kill()
        process.wait()


def answers(daemon: Daemon) -> bool:
    try:
        Client(daemon.socket).close()
    except Unavailable:
        return False
    return True


def notes(daemon: Daemon) -> list[str]:
    return (daemon.state / "starts").read_text().splitlines()


def status(daemon: Daemon) -> Any:
    return json.loads(daemon.taskd("status", "-o", "json").stdout)
