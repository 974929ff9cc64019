"""`self.task`: commands, progress and logs of a running step."""

import sys
import time
from pathlib import Path

import pytest

from taskd.actions.command import CommandFailed
from taskd.actions.current import Current


def test_output_of_a_command_is_the_output_of_the_step(capfd: pytest.CaptureFixture[str]) -> None:
    Current().run(["sh", "-c", "echo out; echo err >&2"])

    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("out\n", "err\n")


def test_output_goes_to_a_file_and_input_comes_from_text(tmp_path: Path) -> None:
    Current().run(["cat"], input="hello", stdout=tmp_path / "out")

    assert (tmp_path / "out").read_text() == "hello"


def test_command_has_the_folder_and_environment_that_it_is_given(tmp_path: Path) -> None:
    Current().run(
        ["sh", "-c", 'echo "$PWD $COLOUR $PATH" > out'], cwd=tmp_path, env={"COLOUR": "x"}
    )

    folder, colour, path = (tmp_path / "out").read_text().split()
    assert (folder, colour) == (str(tmp_path), "x")
    assert path


def test_failed_command_says_status_and_last_lines() -> None:
    with pytest.raises(CommandFailed) as caught:
        Current().run(["sh", "-c", "seq 100 >&2; exit 3"])

    assert str(caught.value) == "sh -c 'seq 100 >&2; exit 3' ended with status 3: 100"
    [note] = caught.value.__notes__
    assert note.splitlines() == [str(number) for number in range(81, 101)]
    assert caught.value.detail == {"status": 3}


def test_killed_command_says_the_signal() -> None:
    with pytest.raises(CommandFailed, match="was ended by SIGKILL") as caught:
        Current().run(["sh", "-c", "kill -9 $$"])

    assert caught.value.detail == {"signal": 9}


def test_unknown_command_says_so() -> None:
    with pytest.raises(CommandFailed, match="cannot run pg_dmup --all: No such file or directory"):
        Current().run(["pg_dmup", "--all"])


def test_line_of_shell_is_refused_with_what_to_write() -> None:
    with pytest.raises(TypeError, match=r"\['echo', 'a'\]"):
        Current().run("echo a")


def test_grandchild_that_holds_stderr_does_not_hold_the_step() -> None:
    begun = time.monotonic()

    Current().run([sys.executable, "-c", "import subprocess; subprocess.Popen(['sleep', '9'])"])

    assert time.monotonic() - begun < 8


def test_progress_is_reported_between_0_and_1() -> None:
    reports: list[tuple[float, str]] = []
    current = Current(report=lambda fraction, note: reports.append((fraction, note)))

    current.progress(0.4, "40 of 100")
    current.progress(41 / 40)

    assert reports == [(0.4, "40 of 100"), (1.0, "")]
