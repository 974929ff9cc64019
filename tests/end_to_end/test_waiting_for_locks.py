"""Tasks that wait for a lock, or do without: however they say so, in their turn, over crashes."""

from holding import hold, let_go, line_for
from real_daemon import Daemon, eventually
from terminal import on_terminal

from taskd.client import Client

PLAIN = """\
label: plain
input: {ledger: str}
locks: ["site:blog"]
steps: {visit: {shell: 'echo plain >> "$ledger"'}}
"""
YAML = PLAIN.replace("plain", "yaml") + "on_conflict: %s\n"
PYTHON = """\
from taskd import Action, OnConflict, exclusive, step


class Visit(Action, label="python", on_conflict=OnConflict.%s):
    ledger: str

    def locks(self):
        self.note("asked")
        yield exclusive("site:" + "blog")

    @step
    def visit(self) -> None:
        self.note("python")

    def note(self, text):
        with open(self.ledger, "a") as file:
            file.write(text + "\\n")
"""
PARENT = """\
label: parent
input: {ledger: str}
locks: ["site:blog"]
steps: {visit: {action: plain, input: {ledger: "{ledger}"}}}
"""
INSIDE = """\
label: inside
input: {ledger: str, who: int}
locks: ["site:blog"]
on_conflict: wait
steps:
  enter: {shell: 'mkdir "$ledger.in" || echo two >> "$ledger"; echo "$who" >> "$ledger"'}
  leave: {shell: 'rmdir "$ledger.in"'}
"""


def start_four(daemon: Daemon, way: str) -> list[int]:
    """A task in each of the ways to say what becomes of it when its lock is held."""
    daemon.write_action("plain.yaml", PLAIN)
    daemon.write_action("yaml.yaml", YAML % way)
    daemon.write_action("python.py", PYTHON % way.upper())
    command = ("--lock", "site:blog", "--", f"echo exec >> {daemon.ledger}")
    return [
        daemon.start_task("exec", "--on-conflict", way, *command),
        daemon.start_action("plain", "--on-conflict", way),
        daemon.start_action("yaml"),
        daemon.start_action("python"),
    ]


def start_waiting(daemon: Daemon, *words: str) -> int:
    return daemon.start_task(
        "exec", "--on-conflict", "wait", "--lock", "site:blog", *words, "--", "true"
    )


def test_tasks_that_wait_begin_when_the_lock_is_free(running: Daemon) -> None:
    hold(running)
    waiting = start_four(running, "wait")
    eventually(lambda: len(line_for(running)) == 5)  # the code of one is asked in a host

    states = [(t["state"], t["result"], t["locks"]) for t in map(running.show, waiting)]
    let_go(running)

    assert states == [("planned", "pending", [])] * 4
    assert running.wait(*waiting) == 0
    assert [running.show(task_id)["result"] for task_id in waiting] == ["success"] * 4
    assert running.ledger_lines() == ["asked", "exec", "plain", "yaml", "python"]


def test_tasks_that_do_not_wait_are_cancelled(running: Daemon) -> None:
    holder = hold(running)

    skipping = start_four(running, "skip")

    ended = running.taskctl("wait", *skipping)
    assert ended.returncode == 10
    assert ended.stderr.count(f"site:blog is locked by task {holder}\n") == 4
    tasks = [running.show(task_id) for task_id in skipping]
    assert {(t["state"], t["result"]) for t in tasks} == {("stopped", "cancelled")}
    assert running.ledger_lines() == ["asked"]


def test_who_starts_a_task_may_say_otherwise_than_its_action(running: Daemon) -> None:
    running.write_action("yaml.yaml", YAML % "wait")
    hold(running)

    paused = running.start_action("yaml", "--on-conflict", "pause")

    assert running.wait(paused) == 9
    assert "site:blog is locked by task 1" in running.show(paused)["errors"][0]["message"]


def test_ten_tasks_get_the_lock_by_priority_and_age_one_at_a_time(running: Daemon) -> None:
    running.write_action("inside.yaml", INSIDE)
    holder = hold(running)
    priorities = [0, 5, 0, -3, 9, 5, 0, 9, -3, 0]
    inputs = [{"ledger": str(running.ledger), "who": who} for who in range(10)]
    with Client(running.socket) as client:
        task_ids = client.start_many(
            [
                {"action": "inside", "input": input, "priority": priority}
                for input, priority in zip(inputs, priorities, strict=True)
            ]
        )

    waiting = [task_id for task_id, _, _ in line_for(running)[1:]]
    let_go(running)

    expected = sorted(range(10), key=lambda who: (-priorities[who], who))
    assert waiting == [task_ids[who] for who in expected]
    assert running.wait(holder, *task_ids) == 0
    assert running.ledger_lines() == [str(who) for who in expected]


def test_tasks_wait_through_the_death_of_the_daemon(running: Daemon) -> None:
    holder = hold(running)
    first, second = start_waiting(running), start_waiting(running)
    line = [(holder, True, []), (first, False, [holder]), (second, False, [holder, first])]

    # The holder goes on under the next daemon, so they wait on.
    running.kill_9()
    running.start()
    assert line_for(running) == line

    # It ends while there is no daemon: the one after that lets them go on.
    running.kill_9()
    let_go(running)
    running.start()
    assert running.wait(holder, first, second) == 0
    assert line_for(running) == []


def test_waiting_says_what_is_waited_for(running: Daemon) -> None:
    holder = hold(running)
    now = ("--timeout", "0.3s")

    started = running.taskctl(
        "exec", "--on-conflict", "wait", "--lock", "site:blog", "--wait", *now, "--", "true"
    )
    waited = running.taskctl("wait", "@last", *now)
    shown = running.taskctl("show", "@last").stdout

    told = f"site:blog after task {holder} (Hold), running since "
    assert (started.returncode, waited.returncode) == (7, 7)
    assert f"task 2 waits: {told}" in started.stderr
    assert f"task 2 waits: {told}" in waited.stderr
    assert f"  waits for  {told}" in shown
    assert f"  site:blog  all operations  waits, behind task {holder}\n" in shown


def test_waiting_for_a_paused_task_says_that_it_needs_a_person(running: Daemon) -> None:
    holder = running.start_task("exec", "--name", "Fail", "--lock", "site:blog", "--", "false")
    assert running.wait(holder) == 9
    waiting = start_waiting(running)

    told = running.taskctl("wait", "--timeout", "0.1s", waiting).stderr
    running.taskctl("cancel", holder)

    assert f"after task {holder} (Fail), paused since " in told
    assert f": taskctl resume {holder}, or taskctl cancel {holder}\n" in told
    assert running.wait(waiting) == 0


def test_cancelled_task_leaves_its_line_at_once(running: Daemon) -> None:
    holder = hold(running)
    first, second = start_waiting(running), start_waiting(running)

    cancelled = running.taskctl("cancel", first)

    assert cancelled.returncode == 0
    assert running.wait(first) == 10
    assert line_for(running) == [(holder, True, []), (second, False, [holder])]
    let_go(running)
    assert running.wait(second) == 0


def test_locks_show_who_holds_and_who_waits_behind_whom(running: Daemon) -> None:
    holder = hold(running)
    first = start_waiting(running, "--name", "A name that is rather long for a terminal " * 2)
    second = start_waiting(running)

    narrow, wide = rows(running, 80), rows(running, 200)

    assert line_for(running) == [
        (holder, True, []), (first, False, [holder]), (second, False, [holder, first]),
    ]  # fmt: skip
    assert " ".join(wide[0].split()) == (
        "resource operation task id task name state user held for behind"
    )
    for _, held, waits, last in narrow, wide:
        assert ["held" in held, "waits" in waits, "waits" in last] == [True] * 3
        assert waits.endswith(f"  {holder}")
        assert last.endswith(f"  {holder}, {first}")
    assert max(map(len, narrow)) <= 80
    assert ["…" in narrow[2], "…" in wide[2]] == [True, False]


def rows(daemon: Daemon, columns: int) -> list[str]:
    """What `taskctl locks` shows on a terminal of that width."""
    code, screen = on_terminal(daemon, "locks", columns=columns)
    assert code == 0
    return screen.splitlines()


def test_sub_task_only_refers_to_what_its_parent_has_locked(running: Daemon) -> None:
    running.write_action("plain.yaml", PLAIN)
    running.write_action("parent.yaml", PARENT)

    parent = running.start_action("parent")

    assert running.wait(parent) == 0
    assert running.ledger_lines() == ["plain"]
    child = running.show(parent + 1)
    assert "site:blog" in [link["resource"] for link in child["links"]]


def test_task_that_names_a_lock_again_and_again_is_not_in_its_own_way(running: Daemon) -> None:
    task_id = running.start_task(
        "exec", "--lock", "site:blog", "--lock", "site:blog/", "--lock", "site:blog/copy",
        "--on-conflict", "wait", "--", f"touch {running.root}/begun; sleep 600",
    )  # fmt: skip
    eventually((running.root / "begun").exists)

    held = [(lock["resource"], lock["operation"]) for lock in running.json("locks")["items"]]

    assert running.show(task_id)["state"] == "running"
    assert sorted(held) == [("site:blog", ""), ("site:blog", "copy")]
