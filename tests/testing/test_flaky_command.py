"""A program that takes the place of another one, and fails as often as it is told to."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from taskd.testing import FlakyCommand


def test_it_fails_and_then_prints_and_succeeds() -> None:
    with FlakyCommand("tool", times=1, status=7, error="it's", output="a $b\n") as tool:
        first = subprocess.run(["tool", "", "a\nb", "ü"], capture_output=True, check=False)
        second = subprocess.run(["tool"], capture_output=True, check=False)
        during = tool.calls

    assert (first.returncode, first.stdout, first.stderr) == (7, b"", b"it's\n")
    assert (second.returncode, second.stdout, second.stderr) == (0, b"a $b\n", b"")
    assert during == tool.calls == [["", "a\nb", "ü"], []]


def test_nothing_is_left_of_it() -> None:
    before = os.environ["PATH"]
    with FlakyCommand("one") as one, FlakyCommand("two"):
        folder = Path(str(shutil.which("one"))).parents[1]

    assert os.environ["PATH"] == before
    assert not folder.exists()
    assert one.calls == []


def test_path_is_refused() -> None:
    with pytest.raises(ValueError, match="only what is found by PATH"):
        FlakyCommand("/bin/sh")
