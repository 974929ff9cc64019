"""Steps in threads of this process: what is theirs alone, beside what every executor does."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attempts import gone, pid_in, wait_for
from rig import PoolRig, a_rig

from taskd.executors.base import Found, Interrupted, Success
from taskd.executors.pool import Pool
from taskd.loop import Loop
from taskd.settings import Settings

ACTIONS = """\
import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from taskd import Action, step

class Demo(Action, label="demo", isolation="thread"):
    place: str

    @step
    def version(self): return "old"
    @step
    def helped(self):
        from taskd_actions._helper import WORD
        return WORD
    @step
    def outlast(self):
        Path(self.place).touch()
        while not Path(self.place + ".go").exists():
            time.sleep(0.005)
        return self.version()
    @step
    def say(self):
        print("first")
        self.outlast()
        print("last")
    @step
    def use_every_way(self):
        sys.stdout.buffer.write(b"bytes \\xc3\\xa9\\n")
        sys.stdout.writelines(["lines\\n"])
        asyncio.run(self.say_asynchronously())
        sys.stdout.close()
    async def say_asynchronously(self): await asyncio.to_thread(print, "asynchronously")
    @step
    def leave(self):
        child = subprocess.Popen(["sleep", "60"], start_new_session=True, env={})
        Path(self.place).write_text(f"{child.pid}\\n")
        child.wait()
    @step
    def fork(self): return os.fork() or "the child returns too"
"""


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PoolRig]:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with a_rig("thread", tmp_path, ACTIONS, {}, slots=2) as rig:
        assert isinstance(rig, PoolRig)
        yield rig


def edit(rig: PoolRig, name: str, change: Callable[[str], str]) -> None:
    """An action file, and the daemon notices it."""
    file = rig.folder / "actions" / name
    file.write_text(change(file.read_text() if file.exists() else ""))
    rig.within(lambda: rig.pool.renew([str(rig.folder / "actions")]))


def next_daemon(rig: PoolRig, *calls: int) -> Found:
    """What a daemon that comes after finds of calls that it takes for running."""
    pool = Pool(
        Loop("next"), rig.report, Settings(),
        attempts=rig.folder / "attempts", hosts=rig.folder / "hosts", action_folders=[],
    )  # fmt: skip
    return pool.take_up(set(calls))


# Code


def test_further_calls_use_an_edited_file_and_running_ones_do_not(rig: PoolRig) -> None:
    running = rig.start("outlast")
    wait_for(rig.place.exists)

    edit(rig, "demo.py", lambda text: text.replace('"old"', '"new"'))
    further = rig.run("version")
    Path(f"{rig.place}.go").touch()

    assert further == Success("new")
    assert rig.end_of(running) == Success("old")


def test_file_that_an_action_imports_is_read_again_too(rig: PoolRig) -> None:
    edit(rig, "_helper.py", lambda _: "WORD = 'old'")
    before = rig.run("helped")

    edit(rig, "_helper.py", lambda _: "WORD = 'new'")

    assert (before, rig.run("helped")) == (Success("old"), Success("new"))


def test_only_files_that_are_asked_for_are_imported(rig: PoolRig) -> None:
    edit(rig, "other.py", lambda _: "raise SystemExit")

    assert rig.run("version") == Success("old")

    found = {name for name in sys.modules if name.startswith("taskd_actions.")}
    assert found == {"taskd_actions.demo"}


# Output


def test_what_others_print_meanwhile_is_not_in_the_log(
    rig: PoolRig, capsys: pytest.CaptureFixture[str]
) -> None:
    call = rig.start("say")
    wait_for(rig.place.exists)
    print("from elsewhere")
    Path(f"{rig.place}.go").touch()
    rig.end_of(call)

    assert rig.log_of(call) == ["stdout first", "stdout last"]
    assert capsys.readouterr().out == "from elsewhere\n"


def test_stdout_of_a_step_is_a_file_of_its_own(rig: PoolRig) -> None:
    call = rig.start("use_every_way")
    rig.end_of(call)
    after = rig.start("say")
    Path(f"{rig.place}.go").touch()
    rig.end_of(after)

    assert rig.log_of(call) == ["stdout bytes é", "stdout lines", "stdout asynchronously"]
    assert rig.log_of(after) == ["stdout first", "stdout last"]


# Processes


def test_child_that_a_step_forks_does_not_go_on_as_the_daemon(rig: PoolRig) -> None:
    outcome = rig.run("fork")

    assert isinstance(outcome, Success)
    wait_for(lambda: gone(outcome.output))


def test_next_daemon_finds_what_ran_and_nothing_of_what_did_not(rig: PoolRig) -> None:
    places = [rig.folder / name for name in ("a", "b")]
    running = [rig.start("outlast", place=str(place)) for place in places]
    waiting = rig.start("outlast", place=str(places[0]))
    for place in places:
        wait_for(place.exists)

    found = next_daemon(rig, *(call.id for call in rig.calls))

    assert found.running == set()
    assert found.ended.keys() == {call.id for call in running}
    assert all(isinstance(outcome, Interrupted) for outcome in found.ended.values())
    for place in places:
        Path(f"{place}.go").touch()
    assert rig.end_of(waiting) == Success("old")


def test_next_daemon_kills_what_a_step_has_started(rig: PoolRig) -> None:
    running = rig.start("leave")
    left = pid_in(rig.place)

    found = next_daemon(rig, running.id)

    assert isinstance(found.ended[running.id], Interrupted)
    assert gone(left)
