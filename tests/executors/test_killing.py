"""What is left of a host that died, real processes: found by the mark that they cannot take off."""

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attempts import gone, wait_for

from taskd.executors.killing import kill_orphans, mark_of
from taskd.executors.tree import descendants

MARKED = "import sys; from taskd.executors import kernel; kernel.mark(int(sys.argv[1])); "
SLEEP = MARKED + "import time; print('ready', flush=True); time.sleep(60)"
# It starts, and leaves alone, a process with the mark of another folder.
NEST = f"""{MARKED}
import subprocess
from pathlib import Path
from taskd.executors.killing import mark_of
mark = str(mark_of(Path(sys.argv[2])))
subprocess.Popen([sys.executable, "-c", {SLEEP!r}, mark], start_new_session=True, env={{}}).wait()
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process with the mark of a folder; it has it when this returns."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, folder: Path, *words: object) -> subprocess.Popen[str]:
        line = [sys.executable, "-c", code, str(mark_of(folder)), *map(str, words)]
        started.append(subprocess.Popen(line, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout
        assert started[-1].stdout.readline() == "ready\n"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_only_what_has_the_mark_of_the_folder_is_killed(tmp_path: Path, start: Start) -> None:
    one, other = (start(SLEEP, tmp_path / name) for name in ("one", "other"))

    kill_orphans(tmp_path / "one")

    wait_for(lambda: gone(one.pid))
    assert other.poll() is None


def test_mark_is_known_also_below_another_one(tmp_path: Path, start: Start) -> None:
    outer = start(NEST, tmp_path / "outer", tmp_path / "inner")
    [inner] = descendants(outer.pid)

    kill_orphans(tmp_path / "inner")

    assert gone(inner)
    assert outer.wait(10) == 0  # it has waited for it


def test_who_has_a_low_limit_goes_without_a_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (200_000, 200_000))

    assert mark_of(tmp_path) == 200_000
