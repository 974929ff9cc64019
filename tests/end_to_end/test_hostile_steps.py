"""Steps print too much, or binary, or escape sequences, or end their process: only they suffer."""

import os
import signal
import time
from pathlib import Path

import pytest
from real_daemon import Daemon, eventually, peak_memory

MIB = 1024 * 1024
NAMES = [
    "[/]",
    "[bold red]x[/bold red]",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]52;c;aGk=\x07",
    "abc\u202edcba \u2066x\u2069 \x9b31m \x7f",
    "two\nlines\rback",
]
HOSTILE = """\
import contextlib
import os
import sys
import time

from taskd import Action, step


class Exit(Action, label="exit"):
    ledger: str

    @step
    def work(self) -> None:
        with open(self.ledger, "a") as file:
            file.write("ran\\n")
        os._exit(7)


class NoJson(Action, label="nojson"):
    @step
    def work(self):
        return object()


class Nan(Action, label="nan"):
    @step
    def work(self):
        return float("nan")


class Cyclic(Action, label="cyclic"):
    @step
    def work(self):
        endless = []
        endless.append(endless)
        return endless


class Leave(Action, label="leave"):
    @step
    def work(self):
        sys.exit(3)


class Print(Action, label="print"):
    @step
    def work(self) -> str:
        for _ in range(200):
            os.write(1, b"x" * 1023 + b"\\n" + b"y" * (1024 * 1024 - 1024))
        return "printed"


class CloseAll(Action, label="close-all"):
    @step
    def work(self) -> None:
        os.closerange(0, 64)


class WriteAll(Action, label="write-all"):
    @step
    def work(self) -> None:
        for descriptor in range(3, 64):
            with contextlib.suppress(OSError):
                os.write(descriptor, b"hello\\n")


class WriteOver(Action, label="write-over"):
    ledger: str
    seconds: float
    text: str = "hello\\n"

    @step
    def work(self) -> str:
        for descriptor in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/self/fd/{descriptor}").endswith("/state"):
                    os.write(int(descriptor), self.text.encode())
        with open(self.ledger, "a") as file:
            file.write("ran\\n")
        time.sleep(self.seconds)
        with open(self.ledger, "a") as file:
            file.write("ended\\n")
        return "done"


class CloseOutput(Action, label="close-output"):
    @step
    def work(self) -> str:
        print("before", flush=True)
        os.close(1)
        os.close(2)
        return "closed"


class Fork(Action, label="fork"):
    @step
    def work(self) -> str:
        if os.fork() == 0:
            return "child"
        os.wait()
        return "parent"


class Spoil(Action, label="spoil"):
    stream: bool

    @step
    def work(self) -> None:
        os.umask(0o777)
        os.chdir("/")
        os.environ["PASSWORD"] = "of another task"
        os.environ["PATH"] = "/nowhere"
        del os.environ["HOME"]
        sys.stderr.close()
        if self.stream:
            sys.stdout = None
        else:
            sys.stdout.close()


class Surroundings(Action, label="surroundings"):
    @step
    def work(self) -> list:
        print("printed")
        print("told", file=sys.stderr)
        mask = os.umask(0)
        os.umask(mask)
        return [mask, os.getcwd(), dict(os.environ), os.getpid()]


class Fine(Action, label="fine"):
    @step
    def work(self) -> str:
        return "fine"
"""


@pytest.mark.parametrize("name", NAMES)
def test_name_full_of_escapes_is_harmless_wherever_it_is_shown(running: Daemon, name: str) -> None:
    line = "printf '\\033]0;owned\\007\\033[2J[/]\\n'; printf '\\033[31m' >&2; exit 3"
    started = running.taskctl("exec", "--wait", "--name", name, "--", line)
    assert started.returncode == 9

    shown = [
        running.taskctl("--color", "never", *words)
        for words in (["list"], ["show", "@last"], ["logs", "@last"], ["-o", "csv", "list"])
    ]

    assert [one.returncode for one in shown] == [0, 0, 0, 0]
    for one in [started, *shown]:
        text = one.stdout + one.stderr
        assert not set(text) & set("\x1b\x07\x9b\x7f\r\u202e\u2066")
    assert running.show("@last")["name"] == name
    assert "[/]" in shown[2].stdout


def test_name_with_brackets_is_shown_as_it_is(running: Daemon) -> None:
    running.taskctl("exec", "--wait", "--name", "[/] and [red]", "--", "true")

    assert "[/] and [red]" in running.taskctl("list").stdout
    assert "[/] and [red]" in running.taskctl("show", "@last").stdout


@pytest.mark.parametrize("name", ["", " ", "x" * 1001])
def test_name_that_is_none_is_refused(running: Daemon, name: str) -> None:
    started = running.taskctl("exec", "--name", name, "--", "true")

    assert started.returncode == 2
    assert running.task_count() == 0


def test_log_is_cut_at_its_limit(daemon: Daemon) -> None:
    daemon.configure(log_limit="64 KiB")
    daemon.start()

    ended = daemon.taskctl("exec", "--wait", "--", "seq 200000; echo the end")

    logged = daemon.taskctl("logs", "@last").stdout
    assert ended.returncode == 0
    assert sizes(daemon.state / "logs") < 2 * 64 * 1024
    assert logged.startswith("1\n2\n")
    assert run_step(daemon)["output"] == "the end"


def test_binary_output_is_kept_and_shown_harmlessly(running: Daemon) -> None:
    line = "head -c 20000 /dev/urandom; printf '\\377\\376\\000\\n'; echo done"

    ended = running.taskctl("exec", "--wait", "--", line)

    assert ended.returncode == 0
    assert run_step(running)["output"] == "done"
    assert running.taskctl("logs", "@last").returncode == 0
    assert running.taskctl("-o", "json", "logs", "@last").returncode == 0
    assert running.taskctl("show", "@last").returncode == 0


def test_last_line_that_is_binary_is_an_output_all_the_same(running: Daemon) -> None:
    ended = running.taskctl("exec", "--wait", "--", "printf 'a\\377\\000b\\033[2J'")

    assert ended.returncode == 0
    assert isinstance(run_step(running)["output"], str)
    assert "\x1b" not in running.taskctl("show", "@last").stdout


@pytest.mark.parametrize(
    "command",
    ["yes | head -c 200000000; echo printed", "head -c 200000000 /dev/zero; echo; echo printed"],
)
def test_gigabytes_of_output_cost_the_daemon_no_memory(daemon: Daemon, command: str) -> None:
    daemon.configure(log_limit="1 MiB")
    daemon.start()
    daemon.taskctl("exec", "--wait", "--", "true")
    before = peak_memory(daemon.pid)

    ended = daemon.taskctl("exec", "--wait", "--", command)

    assert ended.returncode == 0
    assert run_step(daemon)["output"] == "printed"
    assert sizes(daemon.state / "logs") < 3 * MIB
    assert peak_memory(daemon.pid) - before < 32 * MIB


def test_python_step_that_prints_much_costs_little_memory(daemon: Daemon) -> None:
    daemon.configure(log_limit="1 MiB")
    daemon.write_action("hostile.py", HOSTILE)
    daemon.start()
    daemon.taskctl("run", "fine", "--wait")
    before = {pid: peak_memory(pid) for pid in daemon.processes()}

    ended = daemon.taskctl("run", "print", "--wait")

    assert ended.returncode == 0
    assert run_step(daemon)["output"] == "printed"
    assert sizes(daemon.state / "logs") < 3 * MIB
    assert all(peak_memory(pid) - memory < 32 * MIB for pid, memory in before.items())


def test_step_that_ends_its_process_is_interrupted_and_not_repeated(daemon: Daemon) -> None:
    daemon.write_action("hostile.py", HOSTILE)
    daemon.start()
    task_id = daemon.start_action("exit")

    assert daemon.wait(task_id) == 9
    [error] = daemon.show(task_id)["errors"]
    assert error["kind"] == "interrupted"
    assert "ended with status 7" in error["message"]
    assert daemon.ledger_lines() == ["ran"]
    assert daemon.taskctl("run", "fine", "--wait").returncode == 0


@pytest.mark.parametrize("label", ["nojson", "nan", "cyclic", "leave"])
def test_step_whose_result_is_none_fails_alone(daemon: Daemon, label: str) -> None:
    daemon.write_action("hostile.py", HOSTILE)
    daemon.start()

    ended = daemon.taskctl("run", label, "--wait")

    assert ended.returncode == 9
    [error] = daemon.show("@last")["errors"]
    assert (error["step"], error["action"]) == ("work", label)
    assert error["message"]
    assert daemon.taskctl("run", "fine", "--wait").returncode == 0


@pytest.mark.parametrize("content", ["no equals sign", "x" * 2 * MIB])
def test_output_file_that_cannot_be_read_is_an_error(running: Daemon, content: str) -> None:
    file = running.root / "content"
    file.write_text(content)

    ended = running.taskctl("exec", "--wait", "--", f'cat {file} > "$TASKD_OUTPUT"')

    assert ended.returncode == 9
    assert running.show("@last")["errors"][0]["kind"] == "output"


def test_output_file_replaced_by_a_device_does_not_stop_the_daemon(running: Daemon) -> None:
    line = 'rm "$TASKD_OUTPUT" "$TASKD_PROGRESS"; ln -s /dev/zero "$TASKD_OUTPUT"; ' \
        'mkfifo "$TASKD_PROGRESS"; sleep 1; echo done'  # fmt: skip

    ended = running.taskctl("exec", "--wait", "--", line)

    assert ended.returncode == 0
    assert run_step(running)["output"] == "done"


def test_grandchild_that_keeps_the_pipe_open_does_not_hold_the_task(running: Daemon) -> None:
    before = time.monotonic()

    ended = running.taskctl("exec", "--wait", "--", "setsid sleep 60 & echo done")

    assert ended.returncode == 0
    assert time.monotonic() - before < 15
    assert run_step(running)["output"] == "done"


@pytest.mark.parametrize("label", ["close-all", "write-all"])
def test_step_that_spoils_all_descriptors_is_interrupted(running: Daemon, label: str) -> None:
    running.write_action("hostile.py", HOSTILE)

    ended = running.taskctl("run", label, "--wait", "--timeout", "30s")

    assert ended.returncode == 9
    assert run_step(running)["error"]["kind"] == "interrupted"
    assert running.taskctl("run", "fine", "--wait").returncode == 0
    assert running.taskd("restart").returncode == 0


GARBAGE = ["hello\n", "\n", "42\n", "x 5\n"]


@pytest.mark.parametrize("text", GARBAGE)
def test_step_that_wrote_over_the_record_is_taken_up(running: Daemon, text: str) -> None:
    running.write_action("hostile.py", HOSTILE)
    running.start_action("write-over", "seconds=2", f"text={text}")
    eventually(running.ledger_lines)
    running.kill_9()

    running.start()

    assert running.wait("@last") == 0
    assert run_step(running)["output"] == "done"
    assert running.ledger_lines() == ["ran", "ended"]
    assert running.taskctl("run", "fine", "--wait").returncode == 0


@pytest.mark.parametrize("text", GARBAGE)
@pytest.mark.parametrize("daemon_dies", [True, False])
def test_step_that_wrote_over_the_record_and_died_is_interrupted(
    running: Daemon, text: str, daemon_dies: bool
) -> None:
    running.write_action("hostile.py", HOSTILE)
    running.start_action("write-over", "seconds=60", f"text={text}")
    eventually(running.ledger_lines)
    (host,) = running.others()

    if daemon_dies:
        running.kill_9()
    os.kill(host, signal.SIGKILL)
    if daemon_dies:
        running.start()

    assert running.wait("@last") == 9
    assert run_step(running)["error"]["kind"] == "interrupted"
    assert running.ledger_lines() == ["ran"]
    assert running.taskctl("run", "fine", "--wait").returncode == 0


def test_step_that_wrote_over_the_record_and_has_ended_is_no_harm(running: Daemon) -> None:
    running.write_action("hostile.py", HOSTILE)
    assert running.wait(running.start_action("write-over", "seconds=0")) == 0
    running.kill_9()

    running.start()

    assert running.taskctl("run", "fine", "--wait").returncode == 0


def test_step_that_closes_its_output_ends_and_the_next_one_has_it(running: Daemon) -> None:
    running.write_action("hostile.py", HOSTILE)

    ended = running.taskctl("run", "close-output", "--wait", "--timeout", "30s")

    assert ended.returncode == 0
    assert run_step(running)["output"] == "closed"
    assert logged(running) == ["work | before"]
    surroundings(running)
    assert logged(running) == ["work | printed", "work | told"]


def test_forked_child_that_returns_takes_no_part_in_what_follows(running: Daemon) -> None:
    running.write_action("hostile.py", HOSTILE)

    for _ in range(5):
        assert running.taskctl("run", "fork", "--wait").returncode == 0
        assert run_step(running)["output"] == "parent"
    found = [surroundings(running) for _ in range(10)]

    assert len({pid for *_, pid in found}) == 1
    assert logged(running) == ["work | printed", "work | told"]


@pytest.mark.parametrize("stream", ["true", "false"])
def test_step_finds_the_surroundings_that_every_step_finds(running: Daemon, stream: str) -> None:
    running.write_action("hostile.py", HOSTILE)
    before = surroundings(running)

    assert running.taskctl("run", "spoil", f"stream={stream}", "--wait").returncode == 0

    assert surroundings(running) == before
    assert logged(running) == ["work | printed", "work | told"]


def run_step(daemon: Daemon) -> dict[str, object]:
    return next(s for s in daemon.show("@last")["steps"] if s["kind"] == "run")


def sizes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def surroundings(daemon: Daemon) -> list[object]:
    assert daemon.taskctl("run", "surroundings", "--wait").returncode == 0
    found: list[object] = run_step(daemon)["output"]
    return found


def logged(daemon: Daemon) -> list[str]:
    return sorted(daemon.taskctl("logs", "@last").stdout.splitlines())
