"""A step fails, the task pauses with its lock, the cause is fixed, it goes on and ends well."""

import json
from pathlib import Path

import pytest
from real_daemon import Daemon

YAML = """\
label: backup
title: Back up {site}
input: {site: str, ledger: str, target: str}
locks: ["site:{site}/backup"]
steps:
  dump:
    shell: |
      echo dump >> "$ledger"
      echo "$site.sql"
  copy:
    shell: |
      echo copy >> "$ledger"
      echo "copying $dump" >&2
      if ! test -d "$target"; then echo "no folder $target" >&2; exit 3; fi
      echo "$target/$dump"
  tell:
    shell: |
      echo tell >> "$ledger"
      echo "told of $copy"
"""

PYTHON = """\
import sys
from pathlib import Path

from taskd import Action, exclusive, step


class BackUp(Action, label="backup"):
    site: str
    ledger: str
    target: str

    def title(self):
        return f"Back up {self.site}"

    def locks(self):
        yield exclusive(f"site:{self.site}", "backup")

    @step
    def dump(self) -> str:
        self.note("dump")
        return f"{self.site}.sql"

    @step
    def copy(self, dump: str) -> str:
        self.note("copy")
        script = 'echo "copying $1" >&2; test -d "$2" || { echo "no folder $2" >&2; exit 3; }'
        self.task.run(["sh", "-c", script, "copy", dump, self.target])
        return f"{self.target}/{dump}"

    @step
    def tell(self, copy: str) -> str:
        self.note("tell")
        return f"told of {copy}"

    def note(self, name):
        with open(self.ledger, "a") as file:
            file.write(name + "\\n")
"""


@pytest.fixture(params=["yaml in the action folder", "yaml file", "python"])
def action(request: pytest.FixtureRequest, daemon: Daemon) -> str:
    """What `taskctl run` is given: a label, or a file whose definition is kept with the task."""
    if request.param == "yaml file":
        file = daemon.root / "backup.yaml"
        file.write_text(YAML)
        return str(file)
    if request.param == "python":
        daemon.write_action("backup.py", PYTHON)
    else:
        daemon.write_action("backup.yaml", YAML)
    return "backup"


def test_task_pauses_where_it_failed_and_goes_on_from_there(action: str, running: Daemon) -> None:
    target = running.root / "target"
    words = ["site=blog", f"ledger={running.ledger}", f"target={target}"]

    # The step in the middle fails: the task pauses, and says what is wrong.
    first = running.taskctl("run", action, *words, "--wait", "-o", "json")
    paused = running.show("@last")
    assert first.returncode == 9
    assert {**json.loads(first.stdout), "duration": paused["duration"]} == paused
    assert (paused["name"], paused["state"], paused["result"]) == (
        "Back up blog",
        "paused",
        "error",
    )
    assert [(s["name"], s["state"]) for s in paused["steps"] if s["kind"] == "run"] == [
        ("dump", "success"), ("copy", "error"), ("tell", "pending"),
    ]  # fmt: skip
    [error] = paused["errors"]
    assert (error["step"], error["action"], error["detail"]) == ("copy", "backup", {"status": 3})
    assert "copying blog.sql" in error["traceback"]
    assert f"no folder {target}" in error["traceback"]
    [lock] = paused["locks"]
    assert (lock["resource"], lock["operation"]) == ("site:blog", "backup")

    # Another one for the same site pauses, and names the first.
    second = running.taskctl("run", action, *words, "--wait")
    other = running.show("@last")
    assert second.returncode == 9
    assert (other["state"], other["result"], other["locks"]) == ("paused", "error", [])
    [conflict] = other["errors"]
    assert f"task {paused['id']} (Back up blog), paused since" in conflict["message"]
    assert f"taskctl resume {paused['id']}" in conflict["message"]
    assert running.ledger_lines() == ["dump", "copy"]

    # The cause is fixed, and the first goes on from the step that failed.
    target.mkdir()
    resumed = running.taskctl("resume", paused["id"])
    assert resumed.returncode == 0
    assert running.wait(paused["id"]) == 0
    done = running.show(paused["id"])
    assert (done["state"], done["result"]) == ("stopped", "warning")
    assert (done["locks"], done["errors"]) == ([], [])
    assert running.ledger_lines() == ["dump", "copy", "copy", "tell"]
    assert outputs(done) == ["blog.sql", f"{target}/blog.sql", f"told of {target}/blog.sql"]
    assert running.json("locks")["items"] == []

    # Now the second one may.
    assert running.taskctl("resume", other["id"]).returncode == 0
    assert running.wait(other["id"]) == 0
    last = running.show(other["id"])
    assert (last["state"], last["result"], last["locks"]) == ("stopped", "warning", [])
    assert running.ledger_lines()[4:] == ["dump", "copy", "tell"]


def test_paused_task_survives_a_killed_daemon(action: str, running: Daemon) -> None:
    target = running.root / "target"
    words = ["site=blog", f"ledger={running.ledger}", f"target={target}"]
    task_id = running.start_task("run", action, *words)
    assert running.wait(task_id) == 9
    before = running.show(task_id)

    running.kill_9()
    running.start()

    after = running.show(task_id)
    assert {**after, "version": 0} == {**before, "version": 0, "duration": after["duration"]}
    target.mkdir()
    running.taskctl("resume", task_id)
    assert running.wait(task_id) == 0
    assert running.ledger_lines() == ["dump", "copy", "copy", "tell"]


def test_kept_definition_is_used_although_its_file_is_gone(running: Daemon) -> None:
    file = Path(running.root / "backup.yaml")
    file.write_text(YAML)
    target = running.root / "target"
    words = ["site=blog", f"ledger={running.ledger}", f"target={target}"]
    task_id = running.start_task("run", file, *words)
    assert running.wait(task_id) == 9
    file.unlink()
    target.mkdir()

    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 0
    assert running.ledger_lines() == ["dump", "copy", "copy", "tell"]


def outputs(task: dict[str, object]) -> list[object]:
    steps = task["steps"]
    assert isinstance(steps, list)
    return [step["output"] for step in steps if step["kind"] == "run"]
