"""`taskctl settings` with a real daemon: what is set holds at once, and after a restart."""

from pathlib import Path

import pytest
from real_daemon import Daemon, eventually

from taskd.client import Client
from taskd.model.errors import InvalidInput

ACTION = "label: greet\nsteps: {say: {shell: echo hello}}\n"


def setting(daemon: Daemon, name: str) -> tuple[object, str]:
    found = daemon.json("settings", "get", name)
    return found["value"], found["source"]


def gated(daemon: Daemon) -> Path:
    """Of a task that waits for the file `go`: a file that is there once it has begun."""
    begun = daemon.root / f"begun-{daemon.task_count()}"
    daemon.start_task("exec", "--", f"touch {begun}; until test -e go; do sleep 0.02; done")
    return begun


def test_more_slots_are_filled_at_once_and_kept(daemon: Daemon) -> None:
    daemon.configure(cancel_grace="5s")
    daemon.start()
    daemon.taskctl("settings", "set", "executor_slots", "1")
    first, second = gated(daemon), gated(daemon)
    eventually(first.exists)
    assert not second.exists()

    changed = daemon.taskctl("settings", "set", "executor_slots", "2")

    assert changed.stdout.startswith("executor_slots is 2 (set by ")
    eventually(second.exists)
    (daemon.root / "go").touch()
    daemon.taskd("restart")
    assert setting(daemon, "executor_slots") == (2, "stored")
    assert setting(daemon, "cancel_grace") == (5, "file")
    assert daemon.taskctl("settings", "unset", "executor_slots").returncode == 0
    assert setting(daemon, "executor_slots") == (4, "default")
    assert daemon.json("settings", "get", "executor_slots")["where"] == ""


def test_reload_keeps_what_is_stored_unless_the_file_has_it(running: Daemon) -> None:
    running.taskctl("settings", "set", "stop_grace", "5s")
    running.taskd("reload")
    kept = setting(running, "stop_grace")
    running.configure(stop_grace="7s")
    running.taskd("reload")

    assert kept == (5, "stored")
    assert setting(running, "stop_grace") == (7, "file")
    (running.state / "taskd.yaml").unlink()
    running.taskd("reload")
    assert setting(running, "stop_grace") == (5, "stored")


def test_new_folder_of_actions_is_read_at_once(running: Daemon) -> None:
    (running.state / "more").mkdir()
    (running.state / "more" / "greet.yaml").write_text(ACTION)

    running.taskctl("settings", "set", "action_paths", "more")

    assert running.taskctl("run", "greet", "--wait").returncode == 0
    running.taskctl("settings", "unset", "action_paths")
    assert running.taskctl("run", "greet").returncode == 3


def test_check_looks_into_folders_that_were_set(running: Daemon) -> None:
    (running.state / "more").mkdir()
    (running.state / "more" / "broken.yaml").write_text("label: 3\n")
    running.taskctl("settings", "set", "action_paths", "more")

    checked = running.taskd("check")

    assert (checked.returncode, f"{running.state}/more/broken.yaml:1" in checked.stdout) == (
        1,
        True,
    )


def test_unlock_is_allowed_by_its_name_in_the_manual(running: Daemon) -> None:
    task_id = running.start_task("exec", "--", "false")
    running.wait(task_id)

    refused = running.taskctl("unlock", task_id, "--yes")
    running.taskctl("settings", "set", "dynflow_allow_dangerous_actions", "yes")

    assert refused.returncode == 5
    assert running.taskctl("unlock", task_id, "--yes").returncode == 0


def test_own_search_is_used_at_once(running: Daemon) -> None:
    running.taskctl("settings", "set", "searches", '{"ours": "label = shell"}')
    running.wait(running.start_task("exec", "--", "true"))

    assert running.json("list", "--search", "@ours")["total"] == 1


REFUSED = (
    ("cancel_grace", "1s", 5, "taskd.yaml:2 sets it"),
    ("stop_grace", "1s", 5, "TASKD_STOP_GRACE in the environment of the daemon sets it"),
    ("durability", "full", 5, "it counts only when the daemon starts"),
    ("executor_slots", "0", 2, "cannot read '0' as a whole number from 1 to 10000"),
    ("executor_slots", "9" * 20, 2, f"cannot read '{'9' * 20}' as a whole number from 1 to 10000"),
    ("executor_slots", "-1", 2, "cannot read '-1' as a whole number from 1 to 10000"),
    ("searches", '{"ours": "state ="}', 2, "the saved search 'ours' cannot be read"),
    ("executor_slot", "1", 3, "did you mean 'executor_slots'?"),
)


def test_what_cannot_be_set_is_refused_and_nothing_is_stored(daemon: Daemon) -> None:
    daemon.configure(cancel_grace="5s")
    daemon.environment["TASKD_STOP_GRACE"] = "9s"
    daemon.start()

    for name, value, code, reason in REFUSED:
        refused = daemon.taskctl("settings", "set", name, value)
        assert (refused.returncode, refused.stdout) == (code, "")
        assert reason in refused.stderr

    assert "stored" not in {each["source"] for each in daemon.json("settings")["items"]}


def test_client_sets_and_reads_settings(running: Daemon) -> None:
    with Client(running.socket) as client:
        client.set("log_limit", "1 MiB")

        assert client.setting("log_limit").value == 1 << 20
        assert {each.name for each in client.settings() if each.source == "stored"} == {"log_limit"}
        with pytest.raises(InvalidInput):
            client.set("log_limit", "much")
        assert client.unset("log_limit").source == "default"
