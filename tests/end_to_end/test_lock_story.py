"""A task fails and keeps what it has locked; a second one needs it. The ways out, as typed."""

from typing import Any

import pytest
from holding import line_for, unchanging
from real_daemon import Daemon, eventually
from terminal import on_terminal

FIRST, SECOND = 1, 2


@pytest.fixture
def blocked(running: Daemon) -> Daemon:
    """The first task has failed, for want of the file `fixed`; so the second could not begin."""
    first = f"echo first >> {running.ledger}; test -e {running.root}/fixed"
    second = (
        f"echo second >> {running.ledger}; until test -e {running.root}/go; do sleep 0.02; done"
    )
    start(running, "--name", "Copy the photos", "--lock", "folder:photos", "--", first)
    start(running, "--name", "Tidy up", "--lock", "folder:photos/tidy", "--", second)
    assert running.wait(FIRST) == running.wait(SECOND) == 9
    return running


def start(daemon: Daemon, *words: str) -> None:
    daemon.start_task("exec", *words)


def allow(daemon: Daemon) -> None:
    daemon.configure(allow_dangerous_actions="true")
    assert daemon.taskd("reload").returncode == 0


def test_conflict_tells_of_its_holder_wherever_one_looks(blocked: Daemon) -> None:
    since = blocked.show(FIRST)["state_updated_at"][:19].replace("T", " ")

    told = blocked.taskctl("show", "--errors", SECOND).stdout
    listed = blocked.taskctl("list", "--no-headers").stdout
    locks = blocked.taskctl("locks", "--no-headers").stdout

    assert (
        f"folder:photos/tidy is locked by task 1 (Copy the photos), paused since {since} UTC:"
        " taskctl resume 1, or taskctl cancel 1\n"
    ) in told
    assert [row.split()[0] for row in listed.splitlines()] == ["2", "1"]
    assert listed.count(" paused  error ") == 2
    [row] = locks.splitlines()
    assert row.split()[:7] == ["folder:photos", "all", "1", "Copy", "the", "photos", "paused"]


def test_both_go_on_when_the_cause_is_fixed_and_end_with_warning(blocked: Daemon) -> None:
    # Too early: the second one is where it was.
    blocked.taskctl("resume", SECOND)
    assert blocked.wait(SECOND) == 9

    (blocked.root / "fixed").touch()
    (blocked.root / "go").touch()
    for task_id in FIRST, SECOND:
        assert blocked.taskctl("resume", task_id).returncode == 0
        assert blocked.wait(task_id) == 0

    assert blocked.ledger_lines() == ["first", "first", "second"]
    assert results(blocked) == [("stopped", "warning"), ("stopped", "warning")]
    assert line_for(blocked, "folder:photos") == []


def test_unlock_is_refused_until_the_configuration_allows_it(blocked: Daemon) -> None:
    before = unchanging(blocked.show(FIRST))
    refused = [blocked.taskctl("unlock", FIRST, *words) for words in (["--yes"], ["--noop"])]

    allow(blocked)
    shown = blocked.taskctl("unlock", "--noop", FIRST)

    assert [done.returncode for done in refused] == [5, 5]
    for told in (done.stderr for done in refused):
        assert "cannot unlock task 1: the setting allow_dangerous_actions is off\n" in told
        assert f"`allow_dangerous_actions: true` under `settings:` in {blocked.state}/taskd" in told
        assert "then taskd reload" in told
    assert (shown.returncode, shown.stderr) == (0, "")
    assert (
        "would unlock task 1 (Copy the photos), paused, which holds folder:photos" in shown.stdout
    )
    assert unchanging(blocked.show(FIRST)) == before


def test_unlock_asks_on_a_terminal_and_does_nothing_without_an_answer(blocked: Daemon) -> None:
    allow(blocked)
    before = unchanging(blocked.show(FIRST))

    alone = blocked.taskctl("unlock", FIRST, "--reason", "no disk", stdin="y\n")
    refused, screen = on_terminal(blocked, "unlock", FIRST, typed="n\n")
    unchanged = unchanging(blocked.show(FIRST))
    answered, _ = on_terminal(blocked, "unlock", FIRST, typed="y\n")

    assert alone.returncode == 2
    assert "there is no terminal: taskctl unlock --reason 'no disk' --yes 1\n" in alone.stderr
    assert refused == 1
    assert "unlock task 1 (Copy the photos), paused, which holds folder:photos\n" in screen
    assert "inconsistent state" in screen
    assert "nothing was done" in screen
    assert unchanged == before
    assert answered == 0
    assert blocked.show(FIRST)["state"] == "stopped"


def test_second_goes_on_after_an_unlock_and_the_first_after_the_second(blocked: Daemon) -> None:
    allow(blocked)
    (blocked.root / "fixed").touch()

    # The first one stops, as it is; this frees the resource for the second.
    unlocked = blocked.taskctl("unlock", "--yes", "--reason", "the disk is at the repair", FIRST)
    stopped = blocked.show(FIRST)
    assert (unlocked.returncode, unlocked.stderr) == (0, "")
    assert "task 1 unlocked; when its cause is fixed: taskctl resume 1" in unlocked.stdout
    assert ("unlocked", "the disk is at the repair") in events(stopped)
    assert (stopped["state"], stopped["result"], stopped["locks"]) == ("stopped", "error", [])
    assert "stopped since" in blocked.taskctl("show", "--errors", SECOND).stdout
    assert "the lock is free again" in blocked.taskctl("show", "--errors", SECOND).stdout
    blocked.taskctl("resume", SECOND)
    eventually(lambda: blocked.ledger_lines() == ["first", "second"])

    # While that is at it, the first one cannot be resumed.
    too_early = blocked.taskctl("resume", FIRST)
    assert too_early.returncode == 5
    assert "cannot resume task 1: folder:photos is locked by task 2 (Tidy up)" in too_early.stderr
    assert "taskctl wait 2" in too_early.stderr
    assert unchanging(blocked.show(FIRST)) == unchanging(stopped)

    # After it, the first goes on from the step that failed.
    (blocked.root / "go").touch()
    assert blocked.wait(SECOND) == 0
    assert blocked.taskctl("resume", FIRST).returncode == 0
    assert blocked.wait(FIRST) == 0
    assert results(blocked) == [("stopped", "warning"), ("stopped", "warning")]
    assert blocked.ledger_lines() == ["first", "second", "first"]
    assert line_for(blocked, "folder:photos") == []


def results(daemon: Daemon) -> list[tuple[str, str]]:
    tasks = map(daemon.show, (FIRST, SECOND))
    return [(task["state"], task["result"]) for task in tasks]


def events(task: Any) -> list[tuple[str, str]]:
    return [(event["event"], event["detail"]) for event in task["history"]]
