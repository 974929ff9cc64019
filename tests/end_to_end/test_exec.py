"""A command as a task: limits, retries, rescue, keys, order, and what it can tell."""

import json

import pytest
from real_daemon import Daemon, eventually, gone


def test_time_limit_ends_the_whole_tree(running: Daemon) -> None:
    note = running.root / "note"
    line = f"setsid sleep 600 & echo $! > {note}; sleep 600"

    ended = running.taskctl("exec", "--wait", "--time-limit", "1s", "--", line)

    assert ended.returncode == 9
    [error] = running.show("@last")["errors"]
    assert (error["kind"], error["detail"]) == ("timeout", {"timeout": 1.0})
    assert gone(int(note.read_text()))
    eventually(lambda: not running.others())


def test_time_limit_holds_after_the_daemon_was_killed(running: Daemon) -> None:
    task_id = running.start_task("exec", "--time-limit", "2s", "--", "sleep", "600")
    eventually(lambda: running.show(task_id)["state"] == "running")

    running.kill_9()
    running.start()

    assert running.wait(task_id) == 9
    assert running.show(task_id)["errors"][0]["kind"] == "timeout"


def test_python_step_that_returns_after_its_time_is_an_error_all_the_same(running: Daemon) -> None:
    running.write_action(
        "late.py",
        "import time\nfrom taskd import Action, step\n"
        "class Late(Action, label='late'):\n"
        "    @step(timeout=0.2)\n"
        "    def work(self) -> None:\n"
        "        time.sleep(1)\n",
    )

    assert running.taskctl("run", "late", "--wait").returncode == 9

    [error] = running.show("@last")["errors"]
    assert (error["kind"], error["message"]) == ("timeout", "timed out after 0.2 s")
    assert error["detail"] == {"timeout": 0.2}


def test_time_limit_of_a_python_step_holds_after_the_daemon_was_killed(daemon: Daemon) -> None:
    daemon.configure(cancel_grace="1s")
    daemon.write_action(
        "slow.py",
        "import time\nfrom taskd import Action, step\n"
        "class Slow(Action, label='slow'):\n"
        "    ledger: str\n"
        "    @step(timeout=2)\n"
        "    def work(self) -> None:\n"
        "        open(self.ledger, 'w').write('begun')\n"
        "        time.sleep(600)\n",
    )
    daemon.start()
    task_id = daemon.start_action("slow")
    eventually(lambda: daemon.ledger.read_text() == "begun")

    daemon.kill_9()
    daemon.start()

    assert daemon.taskctl("wait", "--timeout", "10s", task_id).returncode == 9
    assert daemon.show(task_id)["errors"][0]["kind"] == "timeout"


def test_time_limit_of_months_is_one(running: Daemon) -> None:
    assert running.taskctl("exec", "--wait", "--time-limit", "90d", "--", "true").returncode == 0


def test_retry_in_months_holds_up_nobody_until_then(running: Daemon) -> None:
    running.write_action(
        "later.yaml",
        "label: later\nsteps:\n  a: {shell: exit 3, retry: {times: 1, delay: 90d}}\n",
    )
    task_id = running.start_task("run", "later")
    eventually(lambda: running.show(task_id)["steps"][-1]["due_at"])

    running.kill_9()
    running.start()

    assert running.taskctl("exec", "--wait", "--", "true").returncode == 0
    assert running.show(task_id)["state"] == "running"


def test_retry_means_further_attempts(running: Daemon) -> None:
    line = f"echo $TASKD_ATTEMPT >> {running.ledger}; exit 4"

    ended = running.taskctl("exec", "--wait", "--retry", "2", "--", line)

    assert ended.returncode == 9
    assert running.ledger_lines() == ["1", "2", "3"]
    assert running.show("@last")["errors"][0]["detail"] == {"status": 4}


def test_retry_that_helps_is_a_success(running: Daemon) -> None:
    line = f"echo x >> {running.ledger}; test $TASKD_ATTEMPT = 2"

    ended = running.taskctl("exec", "--wait", "--retry", "5", "--", line)

    assert ended.returncode == 0
    assert running.ledger_lines() == ["x", "x"]
    assert running.show("@last")["result"] == "success"


@pytest.mark.parametrize(
    ("rescue", "code", "result"), [("skip", 0, "warning"), ("fail", 8, "error")]
)
def test_rescue_decides_what_becomes_of_a_failure(
    running: Daemon, rescue: str, code: int, result: str
) -> None:
    ended = running.taskctl("exec", "--wait", "--rescue", rescue, "--lock", "a:b", "--", "exit 3")

    task = running.show("@last")
    assert ended.returncode == code
    assert (task["state"], task["result"], task["locks"]) == ("stopped", result, [])


def test_same_key_is_the_same_task(running: Daemon) -> None:
    line = f"echo once >> {running.ledger}"

    first = running.start_task("exec", "--key", "tonight", "--", line)
    running.wait(first)
    second = running.start_task("exec", "--key", "tonight", "--", line)

    assert second == first
    assert running.task_count() == 1
    assert running.ledger_lines() == ["once"]


def test_higher_priority_goes_first_and_else_the_older(daemon: Daemon) -> None:
    daemon.configure(executor_slots=1)
    daemon.start()
    gate = daemon.root / "gate"
    first = daemon.start_task("exec", "--", f"until test -e {gate}; do sleep 0.05; done")
    tasks = [first]
    for name, priority in (("low", -5), ("middle", 0), ("later", 0), ("high", 5)):
        line = f"echo {name} >> {daemon.ledger}"
        tasks.append(daemon.start_task("exec", "--priority", priority, "--", line))

    gate.touch()

    assert daemon.wait(*tasks) == 0
    assert daemon.ledger_lines() == ["high", "middle", "later", "low"]


def test_quiet_prints_the_id_and_nothing_else(running: Daemon) -> None:
    started = running.taskctl("exec", "-q", "--wait", "--", "true")

    assert (started.returncode, started.stdout, started.stderr) == (0, "1\n", "")


def test_command_is_given_its_input_and_tells_output_and_progress(running: Daemon) -> None:
    gate = running.root / "gate"
    running.write_action(
        "talk.yaml",
        "label: talk\ninput: {site: str, gate: str}\nsteps:\n"
        "  one: {shell: echo of one}\n"
        "  two:\n    shell: |\n"
        '      echo "50 half way" > "$TASKD_PROGRESS"\n'
        '      until test -e "$gate"; do sleep 0.05; done\n'
        '      cat "$TASKD_INPUT"\n'
        '      echo "size=42" >> "$TASKD_OUTPUT"\n'
        '      echo "path=/a b=c" >> "$TASKD_OUTPUT"\n',
    )
    site = "$(touch /tmp/x); `id`; \"'"
    task_id = running.start_task("run", "talk", f"site={site}", f"gate={gate}")

    eventually(lambda: note_of(running, task_id) == ("half way", 0.5))
    assert running.show(task_id)["progress"] == 0.75
    gate.touch()

    assert running.wait(task_id) == 0
    two = running.show(task_id)["steps"][2]
    assert two["output"] == {"size": "42", "path": "/a b=c"}
    given = json.loads(running.taskctl("logs", f"{task_id}/two").stdout)
    assert given == {"input": {"site": site, "gate": str(gate)}, "outputs": {"one": "of one"}}


def test_command_runs_where_and_as_it_was_asked_to(running: Daemon) -> None:
    folder = running.root / "here"
    folder.mkdir()

    ended = running.taskctl(
        "exec", "--wait", "--cwd", "here", "--env", "GREETING=hi", "--",
        "pwd; echo $GREETING; env | cut -d= -f1 | sort | tr '\\n' ' '",
    )  # fmt: skip

    assert ended.returncode == 0
    pwd, greeting, names = running.taskctl("logs", "@last").stdout.splitlines()
    assert (pwd, greeting) == (str(folder), "hi")
    assert {"PATH", "HOME"} <= {name for name in names.split() if not name.startswith("TASKD_")}
    assert set(names.split()) <= {
        "GREETING", "HOME", "LANG", "OLDPWD", "PATH", "PWD", "SHLVL", "TZ", "_",
        "TASKD_ATTEMPT", "TASKD_INPUT", "TASKD_OUTPUT", "TASKD_PROGRESS", "TASKD_STEP",
        "TASKD_TASK_ID",
    }  # fmt: skip


def test_command_that_does_not_exist_is_an_error_of_the_task(running: Daemon) -> None:
    ended = running.taskctl("exec", "--wait", "--", "no-such-program", "now")

    assert ended.returncode == 9
    [error] = running.show("@last")["errors"]
    assert (error["kind"], error["detail"]) == ("start", {"status": 127})
    assert "no-such-program" in error["message"]


def test_signal_that_ended_a_command_is_named(running: Daemon) -> None:
    ended = running.taskctl("exec", "--wait", "--", "kill -SEGV $$")

    assert ended.returncode == 9
    [error] = running.show("@last")["errors"]
    assert (error["kind"], error["detail"]) == ("signal", {"signal": 11})
    assert "SIGSEGV" in error["message"]


def test_waiting_that_takes_too_long_leaves_the_task_alone(running: Daemon) -> None:
    waited = running.taskctl("exec", "--wait", "--timeout", "0.2s", "--", "sleep", "600")

    assert waited.returncode == 7
    assert running.show("@last")["state"] == "running"


def note_of(daemon: Daemon, task_id: int) -> tuple[str, float]:
    two = daemon.show(task_id)["steps"][-1]
    return two.get("note", ""), two["progress"]


def test_time_of_a_python_step_begins_with_the_step_not_with_its_process(running: Daemon) -> None:
    running.write_action(
        "quick.py",
        "from taskd import Action, step\n"
        "class Quick(Action, label='quick'):\n"
        "    @step(timeout=0.01)\n"
        "    def work(self) -> int:\n"
        "        return 3\n",
    )

    assert running.taskctl("run", "quick", "--wait").returncode == 0
