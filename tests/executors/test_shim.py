"""The supervisor with real commands: how they end, what they print, what is ended with them."""

import json
import os
import re
import signal
import sys
from pathlib import Path

from attempts import gone, log_of, open_descriptors, pid_in, run, start, wait_for

from taskd.executors.attempt import examine, tell_to_end
from taskd.executors.base import Cancelled, Failure, Interrupted, Outcome, Success
from taskd.model.definition import Command
from taskd.model.step import StepError

# A process that left session and parent behind and cannot be asked to end.
STUBBORN = """import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open(sys.argv[1], "w").write(f"{os.getpid()}\\n")
        time.sleep(60)
    os._exit(0)
os.wait()
"""


def stubborn(file: Path) -> str:
    return f"{sys.executable} -I -S -c '{STUBBORN}' {file}"


def error_of(outcome: Outcome) -> StepError:
    assert isinstance(outcome, Failure), outcome
    return outcome.error


def test_last_line_of_stdout_is_the_output(tmp_path: Path) -> None:
    assert run(tmp_path, "echo one; echo two") == Success("two")
    assert log_of(tmp_path) == ["stdout F one", "stdout F two"]


def test_command_that_prints_nothing_has_no_output(tmp_path: Path) -> None:
    assert run(tmp_path, "true") == Success(None)


def test_unfinished_last_line_counts(tmp_path: Path) -> None:
    assert run(tmp_path, "echo one; printf two") == Success("two")
    assert log_of(tmp_path) == ["stdout F one", "stdout F two"]


def test_exit_status_comes_with_the_last_lines_of_stderr(tmp_path: Path) -> None:
    error = error_of(run(tmp_path, "seq 30 >&2; echo 'no space' >&2; exit 3"))

    assert (error.kind, error.message) == ("exit", "exit status 3: no space")
    assert error.detail == {"status": 3}
    assert error.traceback.split("\n") == [*map(str, range(12, 31)), "no space"]


def test_signal_is_named(tmp_path: Path) -> None:
    error = error_of(run(tmp_path, "kill -9 $$"))

    assert (error.kind, error.message, error.detail) == (
        "signal",
        "killed by SIGKILL",
        {"signal": 9},
    )


def test_arguments_are_run_as_they_are(tmp_path: Path) -> None:
    command = Command(arguments=("echo", "$HOME; `id`"))

    assert run(tmp_path, command=command) == Success("$HOME; `id`")


def test_missing_program_cannot_start(tmp_path: Path) -> None:
    error = error_of(run(tmp_path, command=Command(arguments=("frobnicate",))))

    assert error.kind == "start"
    assert error.message == "cannot run 'frobnicate': no such program"
    assert error.detail == {"status": 127}


def test_file_without_permission_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no program")

    error = error_of(run(tmp_path, command=Command(arguments=(str(tmp_path / "data"),))))

    assert error.message.endswith("permission denied")
    assert error.detail == {"status": 126}


def test_missing_working_directory_cannot_start(tmp_path: Path) -> None:
    error = error_of(run(tmp_path, command=Command(line="true", cwd=str(tmp_path / "gone"))))

    assert error.kind == "start"
    assert error.message == f"cannot enter '{tmp_path}/gone': no such file or directory"


def test_nul_in_the_environment_cannot_start(tmp_path: Path) -> None:
    error = error_of(run(tmp_path, command=Command(line="true", environment={"A": "x\0y"})))

    assert error.kind == "start"


def test_output_is_cut_at_the_limit_and_counted(tmp_path: Path) -> None:
    size = 50_000_000

    outcome = run(tmp_path, f"yes 123456789 | head -c {size}", log_limit=1 << 20)

    log = (tmp_path / "logs" / "1-dump.log").read_text().splitlines()
    kept = 10 * (len(log) - 1)
    assert outcome == Success("123456789")
    assert log[-1].endswith(f"… output cut: {size - kept} bytes more (log_limit 1 MiB)")
    assert (1 << 20) - 100 < sum(len(line) + 1 for line in log[:-1]) <= 1 << 20


def test_binary_output_is_kept_as_it_is(tmp_path: Path) -> None:
    outcome = run(tmp_path, r"printf '\377\000\033[31m\n'")

    assert outcome == Success("\\xff\0\x1b[31m")
    assert log_of(tmp_path) == ["stdout F \\xff\0\x1b[31m"]


def test_secrets_are_masked_everywhere(tmp_path: Path) -> None:
    line = "printf hun; printf 'ter2\\n'; echo hunter2 >&2; exit 1"

    error = error_of(run(tmp_path, line, secrets=("hunter2",)))

    record = json.loads((tmp_path / "attempt" / "exit").read_text())
    assert error.message == "exit status 1: •••"
    assert record["last_line"] == "•••"
    assert sorted(log_of(tmp_path)) == ["stderr F •••", "stdout F •••"]


def test_command_goes_on_when_its_log_cannot_be_written(tmp_path: Path) -> None:
    line = f"echo one; echo two; touch {tmp_path}/done; exit 4"

    error = error_of(run(tmp_path, line, log="/dev/full"))

    assert (tmp_path / "done").exists()
    assert "no space left on device" in error.traceback


def mask(status: str, name: str) -> int:
    """Signals of /proc/PID/status, but the two that the C library keeps to itself (32 and 33)."""
    (bits,) = re.findall(rf"{name}:\t(\w+)", status)
    return int(bits, 16) & ~(0b11 << 31)


def test_command_gets_three_descriptors_and_no_signal_is_ignored(tmp_path: Path) -> None:
    shim = start(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    pid = pid_in(tmp_path / "pid")
    wait_for(lambda: "sleep" in Path(f"/proc/{pid}/comm").read_text())
    status = Path(f"/proc/{pid}/status").read_text()

    wait_for(lambda: open_descriptors(pid) == ["0", "1", "2"])  # the loader's are closed by then
    assert [mask(status, "SigIgn"), mask(status, "SigBlk")] == [0, 0]
    assert os.getsid(pid) == pid
    assert tell_to_end(tmp_path / "attempt", force=True)
    shim.wait(10)


def test_stdin_is_empty(tmp_path: Path) -> None:
    assert run(tmp_path, "wc -c") == Success("0")


def test_cancel_ends_a_stubborn_grandchild_of_another_session(tmp_path: Path) -> None:
    shim = start(tmp_path, f"{stubborn(tmp_path / 'pid')}; sleep 60", cancel_grace=0.2)
    grandchild = pid_in(tmp_path / "pid")

    tell_to_end(tmp_path / "attempt")
    shim.wait(10)

    assert examine(tmp_path / "attempt") == Cancelled()
    assert gone(grandchild)


def test_cancel_by_force_has_no_grace(tmp_path: Path) -> None:
    line = f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 1; done"
    shim = start(tmp_path, line, cancel_grace=60.0)
    shell = pid_in(tmp_path / "pid")

    tell_to_end(tmp_path / "attempt", force=True)
    shim.wait(10)

    assert examine(tmp_path / "attempt") == Cancelled()
    assert gone(shell)


def test_force_cuts_a_grace_short(tmp_path: Path) -> None:
    trap = f"trap 'echo x > {tmp_path}/told' TERM"
    line = f"{trap}; echo $$ > {tmp_path}/pid; while :; do sleep 0.1; done"
    shim = start(tmp_path, line, cancel_grace=60.0)
    pid_in(tmp_path / "pid")
    tell_to_end(tmp_path / "attempt")
    wait_for((tmp_path / "told").exists)

    tell_to_end(tmp_path / "attempt", force=True)
    shim.wait(10)

    assert examine(tmp_path / "attempt") == Cancelled()


def test_frozen_command_can_be_cancelled(tmp_path: Path) -> None:
    shim = start(tmp_path, f"echo $$ > {tmp_path}/pid; kill -STOP $$", cancel_grace=60.0)
    pid_in(tmp_path / "pid")

    tell_to_end(tmp_path / "attempt")
    shim.wait(10)

    assert examine(tmp_path / "attempt") == Cancelled()


def test_time_limit_ends_the_tree(tmp_path: Path) -> None:
    line = f"{stubborn(tmp_path / 'pid')}; sleep 60"

    error = error_of(run(tmp_path, line, timeout=0.5, cancel_grace=0.1))

    assert (error.kind, error.message) == ("timeout", "timed out after 0.5 s")
    assert gone(pid_in(tmp_path / "pid"))


def test_daemon_left_behind_by_a_normal_end_lives_on(tmp_path: Path) -> None:
    line = f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 60' & echo done"

    outcome = run(tmp_path, line)  # although the sleep holds stdout

    left = pid_in(tmp_path / "pid")
    assert outcome == Success("done")
    assert not gone(left)
    os.kill(left, signal.SIGKILL)


def test_supervisor_killed_means_nobody_knows_and_nothing_is_left(tmp_path: Path) -> None:
    shim = start(tmp_path, stubborn(tmp_path / "pid"))
    left = pid_in(tmp_path / "pid")

    shim.kill()
    shim.wait()

    assert isinstance(examine(tmp_path / "attempt"), Interrupted)
    assert gone(left)
