"""A step that failed is left out: the task goes on without it and what needs it."""

import pytest
from real_daemon import Daemon, eventually

YAML = """\
label: backup
input: {ledger: str}
locks: ["site:blog/backup"]
steps:
  dump: {shell: 'echo dump >> "$ledger"; echo blog.sql'}
  copy: {shell: 'echo copy >> "$ledger"; exit 3'}
  verify: {shell: 'echo "verify $copy" >> "$ledger"'}
  sign: {shell: 'echo "sign $verify" >> "$ledger"'}
  tidy:
    shell: |
      echo "tidy-$dump" >> "$ledger"
      until test -e "$ledger.go"; do sleep 0.02; done
      echo "tidied $dump"
"""

PYTHON = """\
import os
import time

from taskd import Action, exclusive, step


class BackUp(Action, label="backup"):
    ledger: str

    def locks(self):
        yield exclusive("site:blog", "backup")

    @step
    def dump(self) -> str:
        self.note("dump")
        return "blog.sql"

    @step
    def copy(self) -> str:
        self.note("copy")
        raise OSError("no space left")

    @step
    def verify(self, copy: str) -> str:
        self.note("verify")
        return copy

    @step
    def sign(self, verify: str) -> None:
        self.note("sign")

    @step
    def tidy(self, dump: str) -> str:
        self.note(f"tidy-{dump}")
        while not os.path.exists(f"{self.ledger}.go"):
            time.sleep(0.02)
        return f"tidied {dump}"

    def note(self, name):
        with open(self.ledger, "a") as file:
            file.write(name + "\\n")
"""

SIDE_BY_SIDE = """\
from taskd import Action, concurrence, step


class Fetch(Action, label="fetch"):
    ledger: str

    def plan(self):
        return concurrence(self.north, self.south)

    @step
    def north(self) -> None:
        raise OSError("no route")

    @step
    def south(self) -> None:
        raise OSError("no route")

    def finalize(self) -> str:
        with open(self.ledger, "a") as file:
            file.write("finalize\\n")
        raise OSError("not yet")
"""


@pytest.fixture(params=["yaml", "python"])
def backup(request: pytest.FixtureRequest, running: Daemon) -> Daemon:
    if request.param == "python":
        running.write_action("backup.py", PYTHON)
    else:
        running.write_action("backup.yaml", YAML)
    return running


def test_task_goes_on_without_a_skipped_step_and_ends_with_warning(backup: Daemon) -> None:
    first = backup.taskctl("run", "backup", f"ledger={backup.ledger}", "--wait")
    task = backup.show("@last")
    assert first.returncode == 9
    assert f"or go on without: taskctl skip {task['id']}/copy" in first.stderr

    skipped = backup.taskctl("skip", "@last/copy")
    assert skipped.returncode == 0
    assert f"task {task['id']} goes on without copy, verify, sign" in skipped.stdout

    # It keeps its lock as long as it goes on.
    eventually(lambda: backup.ledger_lines()[-1] == "tidy-blog.sql")
    assert backup.show(task["id"])["state"] == "running"
    assert [lock["task_id"] for lock in backup.json("locks")["items"]] == [task["id"]]
    backup.ledger.with_suffix(".go").touch()
    assert backup.wait(task["id"]) == 0

    done = backup.show(task["id"])
    assert (done["state"], done["result"], done["progress"]) == ("stopped", "warning", 1.0)
    assert (done["locks"], done["output"]) == ([], "tidied blog.sql")
    assert [(s["name"], s["state"]) for s in done["steps"][1:]] == [
        ("dump", "success"), ("copy", "skipped"), ("verify", "skipped"), ("sign", "skipped"),
        ("tidy", "success"),
    ]  # fmt: skip
    assert backup.ledger_lines() == ["dump", "copy", "tidy-blog.sql"]
    told = [(event["event"], event["detail"]) for event in done["history"]]
    assert ("skipped", "copy, verify, sign") in told


def test_command_that_does_without_a_skipped_output_finds_no_variable(running: Daemon) -> None:
    running.write_action(
        "a.yaml",
        "label: a\nsteps:\n"
        "  copy: {shell: exit 3, rescue: skip}\n"
        "  tell: {shell: 'echo \"${copy-nothing}\"', needs: []}\n",
    )

    assert running.taskctl("run", "a", "--wait").returncode == 0

    assert running.show("@last")["output"] == "nothing"


def test_refused_skip_names_the_reason_and_changes_nothing(backup: Daemon) -> None:
    task_id = backup.start_action("backup")
    assert backup.wait(task_id) == 9
    before = backup.show(task_id)["version"]

    unknown = backup.taskctl("skip", f"{task_id}/copy", f"{task_id}/cpy")
    pending = backup.taskctl("skip", f"{task_id}/tidy")
    running = backup.taskctl("skip", backup.start_task("exec", "--", "sleep", "60"))

    assert (unknown.returncode, pending.returncode, running.returncode) == (3, 5, 5)
    assert "has no step 'cpy'\n  hint: what failed: copy\n" in unknown.stderr
    assert "it has not failed (pending)" in pending.stderr
    assert backup.show(task_id)["version"] == before


def test_skipped_step_stays_so_over_a_killed_daemon(running: Daemon) -> None:
    running.write_action("fetch.py", SIDE_BY_SIDE)
    task_id = running.start_action("fetch")
    assert running.wait(task_id) == 9

    first = running.taskctl("skip", f"{task_id}/north")
    running.kill_9()
    running.start()
    assert f"task {task_id} stays paused, since south failed, too" in first.stdout
    assert running.show(task_id)["state"] == "paused"

    # The other one, too: finalize runs, and fails; it is skipped as well.
    assert running.json("skip", task_id)["done"] == [task_id]
    assert running.wait(task_id) == 9
    last = running.taskctl("skip", "-", stdin=f"{task_id}/finalize\n")
    assert "ended without north, south, finalize: warning" in last.stdout
    assert running.ledger_lines() == ["finalize"]
