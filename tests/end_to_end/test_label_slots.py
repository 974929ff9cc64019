"""Slots of a label, with a real daemon: they hold over a restart, and a reload changes them."""

from pathlib import Path

from real_daemon import Daemon, eventually


def occupy(daemon: Daemon) -> int:
    """A command that has begun, and goes on until the file `go` is there."""
    begun = daemon.root / "begun"
    line = f"touch {begun}; until [ -e {daemon.root}/go ]; do sleep 0.02; done"
    task_id = daemon.start_task("exec", "--", line)
    eventually(begun.exists)
    return task_id


def let_go(daemon: Daemon) -> None:
    Path(daemon.root, "go").touch()


def test_full_label_waits_over_a_restart_and_others_go_on(daemon: Daemon) -> None:
    daemon.configure(action_slots="{shell: 1}")
    daemon.write_action("other.yaml", "steps: {say: {shell: echo other}}\n")
    daemon.start()
    first = occupy(daemon)
    second = daemon.start_task("exec", "--", "echo second")
    daemon.kill_9()
    daemon.start()

    other = daemon.start_task("run", "other")

    assert daemon.wait(other) == 0
    assert (daemon.show(first)["state"], daemon.show(second)["state"]) == ("running", "planned")
    let_go(daemon)
    assert daemon.wait(first, second) == 0


def test_reload_gives_a_label_more_slots(daemon: Daemon) -> None:
    daemon.configure(action_slots="{shell: 1}")
    daemon.start()
    first = occupy(daemon)
    second = daemon.start_task("exec", "--", "echo second")
    before = daemon.show(second)["state"]

    daemon.configure(action_slots="{shell: 2}")
    daemon.taskd("reload")

    assert before == "planned"
    assert daemon.wait(second) == 0
    let_go(daemon)
    assert daemon.wait(first) == 0


def test_wrong_slots_are_refused_by_a_reload_and_the_old_ones_stay(daemon: Daemon) -> None:
    daemon.configure(action_slots="{shell: 1}")
    daemon.start()
    first = occupy(daemon)

    daemon.configure(action_slots="{shell: many}")
    refused = daemon.taskd("reload")
    second = daemon.start_task("exec", "--", "echo second")

    assert refused.returncode == 78
    assert "taskd.yaml:2: action_slots: 'shell': cannot read 'many'" in refused.stderr
    assert daemon.show(second)["state"] == "planned"
    let_go(daemon)
    assert daemon.wait(first, second) == 0
