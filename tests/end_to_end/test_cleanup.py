"""Old tasks are deleted: by a search, and by what the configuration and the actions say."""

import gzip
import json
import os
import signal
import sqlite3
import stat
import subprocess
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from real_daemon import COMMANDS, PATIENCE, Daemon, eventually

from taskd.client import Client

FAMILY = """
label: family
steps:
  children:
    action: child
    for_each: [1, 2]
"""
CHILD = "label: child\ncleanup_after: 30d\nsteps:\n  work:\n    shell: echo child\n"

NOTHING = """
from taskd import Action, step
class Nothing(Action, label="nothing"):
    @step
    def go(self): ...
"""


def cleanup(daemon: Daemon, *options: object) -> list[Any]:
    report = daemon.json("cleanup", *options)
    assert report.keys() == {"noop", "parts"}
    assert all(part.keys() == {"name", "filter", "matched", "deleted"} for part in report["parts"])
    return list(report["parts"])


def run(daemon: Daemon, *words: object) -> int:
    """The id of a task that has stopped or is paused."""
    task_id = daemon.start_task("exec", *words)
    daemon.wait(task_id)
    return task_id


def age(daemon: Daemon, days: Mapping[int, float]) -> None:
    """Let tasks have ended so many days ago."""
    with closing(sqlite3.connect(daemon.state / "taskd.db")) as store, store:
        for task_id, by in days.items():
            store.execute(
                "UPDATE tasks SET ended_at = ended_at - :by, started_at = started_at - :by,"
                " start_at = start_at - :by WHERE id = :id",
                {"by": round(by * 86400e6), "id": task_id},
            )


def left(daemon: Daemon) -> set[int]:
    return {task["id"] for task in daemon.json("list", "--all")["items"]}


def kept(daemon: Daemon) -> list[int]:
    """The ids of the tasks in all backups."""
    files = sorted((daemon.state / "backups").glob("*.jsonl.gz"))
    return [json.loads(line)["id"] for file in files for line in gzip.open(file)]


def test_what_a_search_means_goes_with_its_logs_and_is_kept(running: Daemon) -> None:
    first, second = run(running, "--", "echo one"), run(running, "--", "echo two")
    folder = running.state / "logs" / "0"

    assert cleanup(running, "--search", f"id = {first}") == [
        {"name": "search", "filter": "id = 1 and state = stopped", "matched": 1, "deleted": 1}
    ]

    assert left(running) == {second}
    assert running.taskctl("show", first).returncode == 3
    assert [path.name for path in folder.iterdir()] == [str(second)]
    assert kept(running) == [first]
    backups = running.state / "backups"
    assert stat.S_IMODE(backups.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in backups.iterdir()} == {0o600}


def test_what_was_deleted_can_be_brought_back(running: Daemon) -> None:
    task = run(running, "--name", "Job", "--", "echo one; false")
    running.taskctl("cancel", task)
    before, log = running.show(task), running.taskctl("logs", task).stdout
    cleanup(running, "--search", f"id = {task}")
    [backup] = (running.state / "backups").glob("*.jsonl.gz")

    imported = running.taskctl("import", backup)

    assert imported.returncode == 0, imported.stderr
    after = running.show(task)
    assert {k: v for k, v in after.items() if before[k] != v and k != "version"} == {}
    assert running.taskctl("logs", task).stdout == log


def test_noop_says_the_same_and_does_nothing(running: Daemon) -> None:
    tasks = {run(running, "--name", f"Job [{number}]", "--", "true") for number in range(3)}

    (would,) = cleanup(running, "--search", "label = shell", "--noop")
    told = running.taskctl("cleanup", "--search", "label = shell", "--noop")

    assert left(running) == tasks
    assert not (running.state / "backups").exists()
    assert told.stdout.splitlines() == [
        "search: would delete 3 tasks: label = shell and state = stopped",
        "  task 1 (Job [0])",
        "  task 2 (Job [1])",
        "  task 3 (Job [2])",
    ]
    (did,) = cleanup(running, "--search", "label = shell", "--no-backup")
    assert (would["matched"], would["deleted"]) == (3, 0)
    assert (did["matched"], did["deleted"]) == (3, 3)
    assert not (running.state / "backups").exists()


def test_age_is_asked_for_with_a_search(running: Daemon) -> None:
    old, young = run(running, "--", "true"), run(running, "--", "true")
    age(running, {old: 11})

    (part,) = cleanup(running, "--search", "id > 0", "--after", "10d")

    assert part["deleted"] == 1
    assert left(running) == {young}


REFUSED = (
    (["--search", ""], "a search without a condition means all tasks"),
    (["--search", "state ="], "expected a value"),
    (["--search", "result = sucess"], "did you mean 'success'?"),
    (["--search", "started_at > garbage"], "cannot read this as a time"),
    (["--after", "1d"], "--after is for --search"),
    (["--states", "all"], "--states is for --search"),
    (["--search", "id > 0", "--after", "10x"], "cannot read '10x'"),
    (["--search", "id > 0", "--after", "10"], "expected a number and a unit"),
    (["--search", "id > 0", "--after=-5d"], "cannot read '-5d'"),
    (["--search", "id > 0", "--after", ""], "cannot read ''"),
    (["--search", "id > 0", "--states", "stoped"], "no state 'stoped'"),
    (["--search", "id > 0", "--states", ""], "no state ''"),
    (["--search", "id > 0", "--batch-size", "0"], "0 is not in the range"),
    (["--search", "id > 0", "--batch-size", "1000000"], "batch size 1000000 is not between"),
)


def test_what_cannot_be_understood_deletes_nothing(running: Daemon) -> None:
    task = run(running, "--", "true")

    refused = [(running.taskctl("cleanup", *options), message) for options, message in REFUSED]

    assert [each.stderr for each, message in refused if message not in each.stderr] == []
    assert {each.returncode for each, _ in refused} == {2}
    assert left(running) == {task}


def test_rules_and_actions_say_when(daemon: Daemon) -> None:
    """A task each that is left and one that goes, for each part."""
    for name in ("child", "other"):
        daemon.write_action(f"{name}.yaml", CHILD.replace("child", name, 1))
    (daemon.state / "taskd.yaml").write_text(
        "cleanup:\n"
        "  daily: false\n"
        "  after: 365d\n"
        "  actions: [{name: other, after: 10d}]\n"
        "  rules: [{filter: 'result = success', after: 100d}]\n"
    )
    daemon.start()
    tasks = [daemon.start_task("run", label) for label in ("child", "child", "other", "other")]
    tasks += [run(daemon, "--", word) for word in ("true", "true")]
    tasks += [run(daemon, "--rescue", "fail", "--", "false") for _ in range(2)]
    daemon.wait(*tasks)
    age(daemon, dict(zip(tasks, (31, 29, 11, 9, 101, 99, 366, 364), strict=True)))

    parts = cleanup(daemon, "--noop")
    assert [(part["name"], part["matched"]) for part in parts] == [
        ("other", 1),
        ("child", 1),
        ("rule 1", 1),
        ("other tasks", 1),
    ]
    assert [part["deleted"] for part in cleanup(daemon)] == [1, 1, 1, 1]

    assert left(daemon) == set(tasks[1::2])
    assert sum(part["matched"] for part in cleanup(daemon)) == 0


def test_configuration_is_shown(daemon: Daemon) -> None:
    daemon.write_action("child.yaml", CHILD)
    (daemon.state / "taskd.yaml").write_text("cleanup: {after: 1y, backup: {keep: 7d}}\n")
    daemon.start()

    shown = daemon.taskctl("cleanup", "--show-config").stdout.splitlines()

    assert [line.split() for line in shown[:3]] == [
        ["name", "delete", "after", "states", "filter"],
        ["child", "30d", "stopped", "label", "=", "child"],
        ["other", "tasks", "365d", "stopped", "not", "label", "=", "child"],
    ]
    assert shown[3:] == [
        "each day by itself",
        f"kept in {daemon.state}/backups: 7 days, at most 1024 MiB",
    ]


def test_wrong_rule_is_refused_at_start_check_and_reload(daemon: Daemon) -> None:
    good, bad = "cleanup: {after: 1y}\n", "cleanup:\n  rules: [{after: 1d, filter: 'result ='}]\n"
    (daemon.state / "taskd.yaml").write_text(bad)
    place = f"{daemon.state}/taskd.yaml:2: filter:"

    assert place in daemon.taskd("check").stdout
    assert place in daemon.taskd("start").stderr
    (daemon.state / "taskd.yaml").write_text(good)
    daemon.start()
    (daemon.state / "taskd.yaml").write_text(bad)

    assert place in daemon.taskd("reload").stderr
    assert "365d" in daemon.taskctl("cleanup", "--show-config").stdout


def test_family_goes_together_and_stays_while_some_of_it_has_not_ended(daemon: Daemon) -> None:
    daemon.write_action("family.yaml", FAMILY)
    daemon.write_action("child.yaml", CHILD)
    daemon.start()
    parent = daemon.start_task("run", "family")
    daemon.wait(parent)
    paused = run(daemon, "--", "false")

    (part,) = cleanup(daemon, "--search", f"id = {parent} or id = {paused}")

    assert part["deleted"] == 3
    assert left(daemon) == {paused}
    assert kept(daemon) == [parent, parent + 1, parent + 2]


def test_paused_tasks_that_are_asked_for_give_their_locks_to_who_waits(running: Daemon) -> None:
    paused = run(running, "--lock", "site:blog", "--", "false")
    waits = running.start_task("exec", "--lock", "site:blog", "--on-conflict", "wait", "--", "true")
    after = running.start_task("exec", "--after", paused, "--", "true")

    (part,) = cleanup(running, "--search", f"id = {paused}", "--states", "paused")

    assert part["deleted"] == 1
    assert running.wait(waits, after) == 0
    assert left(running) == {waits, after}
    assert running.show(after)["after"] == []


def test_running_tasks_and_next_runs_stay_whatever_is_asked_for(running: Daemon) -> None:
    runs = running.start_task("exec", "--", "sleep 60")
    running.start_task("exec", "--daily", "00:00", "--", "true")
    delayed = running.start_task("exec", "--at", "3d", "--", "true")
    eventually(lambda: running.show(runs)["state"] == "running")

    (part,) = cleanup(running, "--search", "id > 0", "--states", "all")

    assert part == {"name": "search", "filter": "id > 0", "matched": 1, "deleted": 1}
    states = {task["state"] for task in running.json("list", "--all")["items"]}
    assert states == {"running", "scheduled"}
    assert running.taskctl("show", delayed).returncode == 3


def test_logs_without_a_task_are_found(running: Daemon) -> None:
    task = run(running, "--", "echo mine")
    logs = running.state / "logs"
    for name in ("0/7", "3/3001"):
        (logs / name).mkdir(parents=True)
        (logs / name / "1-run.log").touch()
    hours_ago = time.time() - 7200
    for name in ("0/7", f"0/{task}"):
        os.utime(logs / name, (hours_ago, hours_ago))

    would = running.taskctl("cleanup", "--noop").stdout
    did = running.taskctl("cleanup").stdout

    assert "would remove the logs of 1 task that there are not any more" in would
    assert "removed the logs of 1 task that there are not any more" in did
    assert sorted(path.name for path in logs.glob("*/*")) == [str(task), "3001"]


def test_room_is_given_back(running: Daemon) -> None:
    with Client(running.socket) as client:
        text = "x" * 100_000
        for _ in range(40):
            client.exec(["true", text], cwd="/", environment={"PATH": "/bin:/usr/bin"})
    eventually(lambda: running.json("list", "--search", "state != stopped")["total"] == 0)
    store = running.state / "taskd.db"
    eventually(lambda: store.stat().st_size > 3_000_000)

    cleanup(running, "--search", "id > 0", "--no-backup")

    eventually(lambda: store.stat().st_size < 1_000_000)


def test_it_is_done_daily_if_there_is_the_section(daemon: Daemon) -> None:
    daemon.start()
    task, other = run(daemon, "--", "true"), run(daemon, "--", "true")
    age(daemon, {task: 2})
    (daemon.state / "taskd.yaml").write_text("cleanup: {after: 1d}\n")
    daemon.taskd("stop")
    with closing(sqlite3.connect(daemon.state / "taskd.db")) as store, store:
        store.execute("DELETE FROM meta WHERE name = 'chore cleanup'")

    daemon.start()

    eventually(lambda: left(daemon) == {other})


@pytest.fixture
def many(daemon: Daemon) -> list[int]:
    """Tasks that have stopped."""
    daemon.write_action("nothing.py", NOTHING)
    daemon.start()
    with Client(daemon.socket) as client:
        ids = client.start_many([{"action": "nothing"}] * 300)
        eventually(lambda: client.count("state = stopped") == len(ids))
    return ids


def test_ctrl_c_stops_it_and_the_same_again_goes_on(daemon: Daemon, many: list[int]) -> None:
    words = ["--search", "id > 0", "--batch-size", "1", "--verbose"]
    told = subprocess.Popen(
        [COMMANDS / "taskctl", "cleanup", *words],
        env=daemon.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert told.stderr
    assert " of 300 tasks are deleted" in told.stderr.readline()
    told.send_signal(signal.SIGINT)
    _, shown = told.communicate(timeout=PATIENCE)
    with Client(daemon.socket) as client:
        eventually(lambda: client.cleanup_progress()["matched"] == 0)
    rest = left(daemon)
    (part,) = cleanup(daemon, "--search", "id > 0")

    assert told.returncode == 130
    assert "interrupted: what is left stays; the same again goes on" in shown
    assert 0 < len(rest) < 300
    assert part["deleted"] == len(rest)
    assert sorted(kept(daemon)) == many


def test_daemon_may_be_stopped_meanwhile(daemon: Daemon, many: list[int]) -> None:
    with Client(daemon.socket) as client:
        client.submit("cleanup.run", search="id > 0", batch_size=1)
        eventually(lambda: client.cleanup_progress()["deleted"])
        client.stop()
    eventually(lambda: not daemon.processes())
    daemon.start()
    rest = left(daemon)
    cleanup(daemon, "--search", "id > 0")

    assert 0 < len(rest) < 300
    assert sorted(kept(daemon)) == many


def test_two_cleanups_do_not_get_in_each_others_way(running: Daemon) -> None:
    for _ in range(3):
        run(running, "--", "true")
    with Client(running.socket) as first, Client(running.socket) as second:
        numbers = [
            each.submit("cleanup.run", search="id > 0", batch_size=1) for each in (first, second)
        ]
        answers = [
            each.outcome(number) for each, number in zip((first, second), numbers, strict=True)
        ]

    refused = [answer for answer in answers if not isinstance(answer, dict)]
    assert [error.exit_code for error in refused] in ([], [5])
    assert left(running) == set()


def test_backup_folder_that_cannot_be_written_keeps_the_tasks(running: Daemon) -> None:
    task = run(running, "--", "true")
    (running.state / "backups").write_text("in the way")

    refused = running.taskctl("cleanup", "--search", "id > 0")

    assert refused.returncode == 1
    assert f"cannot keep what is to be deleted in {running.state}/backups" in refused.stderr
    assert left(running) == {task}
    assert Path(running.state / "backups").read_text() == "in the way"
