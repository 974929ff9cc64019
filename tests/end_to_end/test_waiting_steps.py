"""Steps of all kinds in real processes: sub-tasks, functions, polling; crashes in between."""

import json

from real_daemon import Daemon, eventually, gone

TOOLS = """\
from taskd import Action, Snooze, SubTasks, action, request, step


def check(archive: str, site: str, channels: list) -> dict:
    return {"archive": archive, "site": site, "channels": len(channels)}


@action(label="note")
def note(text: str, ledger: str) -> None:
    with open(ledger, "a") as file:
        file.write(text + "\\n")


class Notes(Action, label="notes"):
    ledger: str
    count: int
    at_once: int = 2

    @step
    def split(self) -> SubTasks:
        wanted = (request(note, text=str(n), ledger=self.ledger) for n in range(self.count))
        return SubTasks(wanted, concurrency=self.at_once)

    @step
    def add_up(self, split: dict) -> int:
        return split["success"]


class Poll(Action, label="poll"):
    ledger: str

    @step
    def wait(self) -> str | Snooze:
        called = (self.task.kept or 0) + 1
        with open(self.ledger, "a") as file:
            file.write(f"{called}\\n")
        return "seen" if called == 3 else Snooze(0.1, keep=called)
"""
YAML = """\
label: site
input: {site: str, channels: list, ledger: str}
steps:
  archive: {shell: 'echo "$site.tar"'}
  check: {python: "tools:check", needs: [archive], idempotent: true}
  tell:
    action: note
    for_each: "{channels}"
    input: {text: "{item}:{archive}", ledger: "{ledger}"}
"""
SLOW = """\
label: slow
input: {pid: str}
steps:
  work: {shell: 'echo $$ > "$pid"; exec sleep 600'}
"""
PARENT = """\
label: parent
input: {pid: str}
steps:
  split: {action: slow, input: {pid: "{pid}"}}
"""


def lines(daemon: Daemon) -> list[str]:
    return sorted(daemon.ledger_lines())


def steps(daemon: Daemon, task_id: object) -> dict[str, object]:
    return {step["name"]: step["output"] for step in daemon.show(task_id)["steps"]}


def test_yaml_action_uses_functions_and_other_actions(running: Daemon) -> None:
    running.write_action("tools.py", TOOLS)
    running.write_action("site.yaml", YAML)

    ended = running.taskctl(
        "run", "site", "site=blog", 'channels:=["ops", "dev"]', f"ledger={running.ledger}", "--wait"
    )

    assert ended.returncode == 0, ended.stderr
    outputs = steps(running, 1)
    assert outputs["check"] == {"archive": "blog.tar", "site": "blog", "channels": 2}
    assert outputs["tell"]["total"] == 2
    assert lines(running) == ["dev:blog.tar", "ops:blog.tar"]
    assert running.show(2)["parent_task_id"] == 1
    assert running.show("@last")["id"] == 1


def test_sub_tasks_of_a_class_go_on_through_a_crash(running: Daemon) -> None:
    running.write_action("tools.py", TOOLS)
    task_id = running.start_task("run", "notes", "count=200", f"ledger={running.ledger}")
    eventually(lambda: running.ledger.read_text().count("\n") > 20)

    running.kill_9()
    running.start()

    assert running.wait(task_id) == 0
    assert running.show(task_id)["output"] == 200
    assert sorted(map(int, running.ledger_lines())) == list(range(200))


def test_polling_step_is_called_again_also_by_another_daemon(running: Daemon) -> None:
    running.write_action("tools.py", TOOLS)
    task_id = running.start_task("run", "poll", f"ledger={running.ledger}")
    eventually(lambda: running.ledger.read_text())

    running.kill_9()
    running.start()

    assert running.wait(task_id) == 0
    assert running.show(task_id)["output"] == "seen"
    assert running.ledger_lines() == ["1", "2", "3"]


def test_cancel_of_a_parent_ends_what_its_sub_tasks_run(running: Daemon) -> None:
    running.write_action("slow.yaml", SLOW)
    running.write_action("parent.yaml", PARENT)
    pid = running.root / "pid"
    task_id = running.start_task("run", "parent", f"pid={pid}")
    eventually(lambda: pid.exists() and pid.read_text())

    done = running.json("cancel", task_id)

    assert done["done"] == [task_id]
    assert running.wait(task_id) == 10
    assert running.show(2)["result"] == "cancelled"
    assert gone(int(pid.read_text()))


def test_failed_sub_task_pauses_its_parent_and_both_are_resumed(running: Daemon) -> None:
    file = running.root / "missing"
    running.write_action(
        "child.yaml", f"label: child\ninput: {{n: int}}\nsteps: {{a: {{shell: cat {file}}}}}\n"
    )
    parent = {"label": "parent", "steps": {"split": {"action": "child", "for_each": [1, 2],
              "input": {"n": "{item}"}}}}  # fmt: skip
    running.write_action("parent.yaml", json.dumps(parent))
    task_id = running.start_task("run", "parent")
    assert running.wait(task_id) == 9
    told = running.taskctl("show", task_id).stdout
    assert "2 of 2 sub-tasks are paused: 2 (paused), 3 (paused)" in told

    file.write_text("there")
    running.taskctl("resume", task_id)

    assert running.wait(task_id) == 0
    assert [running.show(n)["result"] for n in (1, 2, 3)] == ["warning"] * 3
