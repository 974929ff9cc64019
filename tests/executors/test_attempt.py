"""Attempts as the daemon sees them, and as the next daemon does."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from attempts import a_call, pid_in, run, start, wait_for

from taskd.executors.attempt import (
    Running,
    begin,
    examine,
    open_supervisor,
    remove,
    tell_to_end,
)
from taskd.executors.base import Failure, NeverRan, Progress, Success
from taskd.executors.environment import MAX_VALUE
from taskd.executors.exit_record import read_progress
from taskd.model.definition import Command

DAEMON = """import sys; sys.path[:0] = sys.argv[2:]
from pathlib import Path
from attempts import start
folder = Path(sys.argv[1])
start(folder, f"echo $$ > {folder}/pid; read line < {folder}/fifo; echo $line").wait()
"""


def test_attempt_without_a_folder_never_ran(tmp_path: Path) -> None:
    assert examine(tmp_path / "attempt") == NeverRan()


def test_attempt_whose_supervisor_died_at_once_never_ran(tmp_path: Path) -> None:
    (tmp_path / "attempt").mkdir()
    (tmp_path / "attempt" / "alive").touch()

    assert examine(tmp_path / "attempt") == NeverRan()


def test_running_attempt_is_locked_and_cannot_be_begun_again(tmp_path: Path) -> None:
    shim = start(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    pid_in(tmp_path / "pid")

    assert examine(tmp_path / "attempt") == Running(shim.pid)
    with pytest.raises(BlockingIOError):
        start(tmp_path, "true")
    tell_to_end(tmp_path / "attempt", force=True)
    shim.wait(10)


def test_step_outlives_a_killed_daemon_and_leaves_its_result(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    here = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    daemon = subprocess.Popen([sys.executable, "-c", DAEMON, str(tmp_path), *here])
    pid_in(tmp_path / "pid")
    daemon.kill()
    daemon.wait()

    supervisor = open_supervisor(tmp_path / "attempt")
    assert supervisor is not None
    (tmp_path / "fifo").write_text("real result\n")
    ended, _, _ = select.select([supervisor], [], [], 10)
    os.close(supervisor)

    assert ended
    wait_for(lambda: examine(tmp_path / "attempt") == Success("real result"))


def test_ended_attempt_has_nobody_to_tell(tmp_path: Path) -> None:
    run(tmp_path, "true")

    assert open_supervisor(tmp_path / "attempt") is None
    assert not tell_to_end(tmp_path / "attempt")


def test_inputs_and_outputs_are_variables(tmp_path: Path) -> None:
    call = {"input": {"site": "a; $(id)", "days": 3, "tags": ["x"]}, "outputs": {"dump": "/x.sql"}}

    outcome = run(tmp_path, 'echo "$site|$days|$tags|$dump"', **call)

    assert outcome == Success('a; $(id)|3|["x"]|/x.sql')
    assert json.loads((tmp_path / "attempt" / "input.json").read_text()) == call


def test_inputs_cannot_take_a_shell_over(tmp_path: Path) -> None:
    hostile = {"PATH": "/x", "BASH_ENV": "/x", "LD_PRELOAD": "/x", "TASKD_STEP": "x", "nul": "a\0b"}

    outcome = run(tmp_path, 'env | grep -c "/x"; echo "$TASKD_STEP${nul-}"', input=hostile)

    assert outcome == Success("dump")
    assert "stdout F 0" in (tmp_path / "logs" / "1-dump.log").read_text()


def test_ten_megabytes_of_input_are_in_the_file(tmp_path: Path) -> None:
    big = {"big": "x" * 10_000_000} | {f"part{n}": "y" * MAX_VALUE for n in range(40)}

    outcome = run(tmp_path, 'wc -c < "$TASKD_INPUT"; echo "${big:-not set}"', input=big)

    assert outcome == Success("not set")


@pytest.mark.parametrize("line", ['rm -r "$big/x"', 'rm -r "${big}/x"'])
@pytest.mark.parametrize("value", ["x" * (MAX_VALUE + 1), "a\0b"])
def test_command_that_would_find_a_variable_empty_is_not_begun(
    tmp_path: Path, line: str, value: str
) -> None:
    with pytest.raises(ValueError, match=r"\$big holds a NUL or is too long"):
        run(tmp_path, line, input={"big": value})


def test_environment_of_the_command_is_all_it_gets(tmp_path: Path) -> None:
    command = Command(
        line="env | cut -d= -f1 | sort | tr '\n' ' '", environment={"PATH": "/bin:/usr/bin"}
    )

    assert run(tmp_path, command=command) == Success(
        "PATH PWD TASKD_ATTEMPT TASKD_INPUT TASKD_OUTPUT TASKD_PROGRESS TASKD_STEP TASKD_TASK_ID "
    )


def test_lines_in_the_output_file_are_the_output(tmp_path: Path) -> None:
    line = "echo path=/a=b >> $TASKD_OUTPUT; echo size=3 >> $TASKD_OUTPUT; echo ignored"

    assert run(tmp_path, line) == Success({"path": "/a=b", "size": "3"})


def test_output_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    outcome = run(tmp_path, "echo nonsense > $TASKD_OUTPUT")

    assert isinstance(outcome, Failure)
    assert "line 1 is 'nonsense', expected key=value" in outcome.error.message


def test_fifo_in_place_of_the_output_file_does_not_block(tmp_path: Path) -> None:
    outcome = run(tmp_path, "rm $TASKD_OUTPUT; mkfifo $TASKD_OUTPUT; echo last")

    assert outcome == Success("last")


@pytest.mark.parametrize(
    ("text", "progress"),
    [
        ("40 copying\n", Progress(0.4, "copying")),
        ("10\n20 %\n", Progress(0.2)),
        ("999 over\n", Progress(1.0, "over")),
        ("30 fine\ngarbage\n", Progress(0.3, "fine")),
        ("\xff", None),
        ("", None),
    ],
)
def test_progress_is_the_last_line_that_can_be_read(
    tmp_path: Path, text: str, progress: Progress | None
) -> None:
    (tmp_path / "progress").write_text(text)

    assert read_progress(tmp_path) == progress


def test_folder_is_private_and_can_be_removed(tmp_path: Path) -> None:
    begin(tmp_path / "attempt", a_call(tmp_path, "true")).wait(10)

    modes = [(tmp_path / "attempt" / name).stat().st_mode & 0o777 for name in ("", "input.json")]
    remove(tmp_path / "attempt")

    assert modes == [0o700, 0o600]
    assert not (tmp_path / "attempt").exists()
