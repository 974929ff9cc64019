"""Tasks that run again and again, in real time: lines with seconds, which only tests may use."""

from pathlib import Path
from typing import Any

import pytest
from real_daemon import Daemon, eventually

EVERY_SECOND = "* * * * * *"
WITH_SECONDS = "import taskd.cron\ntaskd.cron.FIELDS = (5, 6)\n"


@pytest.fixture
def ticking(daemon: Daemon, tmp_path: Path) -> Daemon:
    (tmp_path / "sitecustomize.py").write_text(WITH_SECONDS)
    daemon.environment["PYTHONPATH"] = str(tmp_path)
    daemon.start()
    return daemon


def start(daemon: Daemon, *words: object) -> int:
    return daemon.start_task("exec", "--cron", EVERY_SECOND, *words)


def logic(daemon: Daemon, logic_id: int = 1) -> Any:
    return daemon.json("recurring", "show", logic_id)


def begun(daemon: Daemon) -> list[Any]:
    """Its tasks that are not scheduled any more, the oldest first."""
    return list(daemon.json("list", "--search", "state != scheduled", "--order", "id")["items"])


def test_runs_come_each_second_until_the_limit(ticking: Daemon) -> None:
    start(ticking, "--limit", 3, "--name", "tick", "--", f"echo tick >> {ticking.ledger}")

    eventually(lambda: logic(ticking)["state"] == "finished")

    tasks = begun(ticking)
    assert ticking.ledger_lines() == ["tick"] * 3
    assert [task["result"] for task in tasks] == ["success"] * 3
    assert [task["execution_type"] for task in tasks] == ["recurring"] * 3
    assert [task["recurring_logic_id"] for task in tasks] == [1] * 3
    seconds = [task["start_at"][17:19] for task in tasks]
    assert len(set(seconds)) == 3
    late = [task["started_at"] >= task["start_at"] for task in tasks]
    assert all(late)


def test_killed_daemon_runs_no_time_twice(ticking: Daemon) -> None:
    start(ticking, "--", f"echo run >> {ticking.ledger}")

    for count in (1, 2, 3):
        eventually(lambda count=count: len(ticking.ledger_lines()) >= count)
        ticking.kill_9()
        ticking.start()
    ticking.taskctl("recurring", "cancel", 1)

    tasks = begun(ticking)
    assert len({task["start_at"] for task in tasks}) == len(tasks)
    ran = [task for task in tasks if task["result"] == "success"]
    assert len(ticking.ledger_lines()) == len(ran)


def test_paused_run_holds_up_the_next_and_is_told(ticking: Daemon) -> None:
    start(ticking, "--", "false")

    eventually(lambda: logic(ticking)["history"][-1]["times"] >= 2)

    [run] = begun(ticking)
    assert run["state"] == "paused"
    last = logic(ticking)["history"][-1]
    assert (last["event"], last["detail"]) == ("skipped", f"task {run['id']} is paused")


def test_edited_action_is_what_the_next_run_does(ticking: Daemon) -> None:
    ticking.write_action("note.yaml", _note("old", ticking.ledger))
    ticking.start_task("run", "note", "--cron", EVERY_SECOND)
    eventually(lambda: "old" in ticking.ledger_lines())

    ticking.write_action("note.yaml", _note("new", ticking.ledger))

    eventually(lambda: "new" in ticking.ledger_lines())
    ticking.taskctl("recurring", "cancel", 1)


def test_action_that_is_removed_makes_its_logic_fail(ticking: Daemon) -> None:
    file = ticking.write_action("note.yaml", _note("old", ticking.ledger))
    ticking.start_task("run", "note", "--cron", EVERY_SECOND)

    file.unlink()

    eventually(lambda: logic(ticking)["state"] == "failed")
    assert logic(ticking)["reason"] == "no action 'note'"


def test_disabled_logic_is_quiet(ticking: Daemon) -> None:
    start(ticking, "--", f"echo run >> {ticking.ledger}")
    eventually(ticking.ledger_lines)

    done = ticking.json("recurring", "disable", 1)
    before = len(begun(ticking))
    start(ticking, "--limit", 3, "--", "true")
    eventually(lambda: logic(ticking, 2)["state"] == "finished")

    assert done == {"done": [1], "skipped": [], "failed": []}
    mine = [task for task in begun(ticking) if task["recurring_logic_id"] == 1]
    assert len(mine) == before


def _note(word: str, ledger: Path) -> str:
    return f"label: note\nsteps:\n  write: {{shell: echo {word} >> {ledger}}}\n"


def test_what_would_run_is_told_in_words(running: Daemon) -> None:
    told = running.taskctl(
        "exec", "--daily", "02:30", "--tz", "Europe/Berlin", "--at", "2027-03-27 12:00",
        "--limit", 2, "--noop", "--", "true",
    )  # fmt: skip

    assert told.stdout.splitlines() == [
        "would run shell: 30 2 * * * (Europe/Berlin)",
        "next: Sun 2027-03-28 03:00 CEST, 02:30 does not exist that day",
        "next: Mon 2027-03-29 02:30 CEST",
    ]
    assert running.json("recurring", "list")["items"] == []


def test_preview_prints_times_in_their_zone(running: Daemon) -> None:
    told = running.taskctl(
        "recurring", "preview", "30 2 * * *", "--tz", "Europe/Berlin", "--at", "2026-10-24 12:00",
        "-n", 2,
    )  # fmt: skip

    assert told.stdout.splitlines() == [
        "Sun 2026-10-25 02:30 CEST, 02:30 comes twice that day; the first counts",
        "Mon 2026-10-26 02:30 CET",
    ]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--cron", "60 * * * *"], 2, "the minute '60' is not within 0-59"),
        (["--cron", EVERY_SECOND], 2, "expected 5 fields"),
        (["--daily", "25:00"], 2, "the hour '25' is not within 0-23"),
        (["--daily", "02:30", "--hourly", "5"], 2, "expected one of --cron"),
        (["--daily", "02:30", "--wait"], 2, "no end to wait for"),
        (["--daily", "02:30", "--key", "k"], 2, "--key is for one task"),
        (["--daily", "02:30", "--purpose", "taken"], 5, "the purpose 'taken' is that of"),
        (["--noop"], 2, "--noop is for --cron"),
    ],
)
def test_what_can_never_run_is_refused(
    running: Daemon, words: list[str], code: int, told: str
) -> None:
    running.taskctl("exec", "--daily", "02:00", "--purpose", "taken", "--", "true")

    refused = running.taskctl("exec", *words, "--", "true")

    assert (refused.returncode, told in refused.stderr) == (code, True), refused.stderr
    assert running.json("recurring", "list")["total"] == 1


def test_some_of_several_is_told_with_11(running: Daemon) -> None:
    running.taskctl("exec", "--daily", "02:00", "--", "true")

    some = running.taskctl("recurring", "cancel", 1, 7, "-o", "json")

    assert some.returncode == 11
    assert '"done": [1]' in some.stdout
    assert running.taskctl("recurring", "delete", 7).returncode == 3
    assert running.taskctl("recurring", "delete", 1).returncode == 0


@pytest.fixture
def three(running: Daemon) -> Daemon:
    """Logics: two of one name, one of which rests; and another one."""
    for name, purpose in (("Nightly", "a"), ("Nightly", "b"), ("Hourly", "c")):
        running.taskctl("exec", "--name", name, "--daily", "02:00", "--purpose", purpose, "--", "x")
    running.taskctl("recurring", "disable", 2)
    return running


def found(daemon: Daemon, search: str) -> list[int]:
    return [each["id"] for each in daemon.json("recurring", "list", "--search", search)["items"]]


def test_logics_are_searched_in_the_same_language(three: Daemon) -> None:
    assert found(three, "name = Nightly") == [2, 1]
    assert found(three, "state = active and purpose ^ (a, b)") == [1]
    assert found(three, "nightly !state = disabled") == [1]
    assert found(three, "next_occurrence > now and user = current_user") == [3, 1]
    assert found(three, 'cron_line = "0 2 * * *" and iteration = 0') == [3, 2, 1]
    assert found(three, "null? until and has purpose and not hourly") == [2, 1]
    wrong = three.taskctl("recurring", "list", "--search", "result = error")
    assert (wrong.returncode, "there is no field 'result'" in wrong.stderr) == (2, True)


def test_what_was_searched_for_is_changed(three: Daemon) -> None:
    search = ["--search", "name = Nightly"]

    asks = three.taskctl("recurring", "cancel", *search)
    tried = three.taskctl("recurring", "cancel", *search, "--noop")
    refused = three.taskctl("recurring", "delete", *search, "--yes")
    assert (asks.returncode, "--yes" in asks.stderr) == (2, True)
    assert tried.stdout.splitlines() == [
        "would cancel recurring logic 2 (Nightly)",
        "would cancel recurring logic 1 (Nightly)",
    ]
    assert refused.returncode == 5
    assert found(three, "state = active") == [3, 1]

    done = three.json("recurring", "cancel", *search, "--yes")
    deleted = three.json("recurring", "delete", "--search", "state = cancelled", "--yes")

    assert done["done"] == deleted["done"] == [2, 1]
    assert found(three, "") == [3]


def test_zone_without_a_name_is_refused_unless_it_is_meant(daemon: Daemon) -> None:
    daemon.environment["TZ"] = "CET-1CEST,M3.5.0,M10.5.0/3"
    daemon.start()

    refused = daemon.taskctl("exec", "--daily", "08:00", "--", "true")
    meant = daemon.taskctl("exec", "--daily", "08:00", "--tz", "+02:00", "--", "true")

    assert (refused.returncode, "has no name" in refused.stderr) == (2, True)
    assert meant.returncode == 0
    assert "08:00 UTC+02:00" in meant.stdout
    assert "08:00 UTC+02:00" in daemon.taskctl("recurring", "show", 1).stdout


def test_next_times_are_those_that_are_left(running: Daemon) -> None:
    options = ["--daily", "08:00", "--tz", "UTC", "--at", "2030-01-01"]
    running.taskctl("exec", *options, "--until", "2030-01-02 12:00", "--", "true")
    running.taskctl("exec", *options, "--limit", "1", "--", "true")

    shown = [running.taskctl("recurring", "show", number).stdout for number in (1, 2)]

    assert [text.count("08:00 UTC") for text in shown] == [2, 1]
    assert all("Tue 2030-01-01 08:00 UTC" in text for text in shown)


def test_task_after_one_that_has_failed_says_that_it_has_ended(running: Daemon) -> None:
    failed = running.start_task("exec", "--rescue", "fail", "--", "false")
    running.wait(failed)

    told = running.taskctl("exec", "--after", failed, "--", "true")

    assert told.stdout.startswith("task 2 ended: error")
