"""A host dies whose record a step has written over: what it had of calls is unknown, not lost."""

from collections import Counter
from pathlib import Path

import pytest
from rig import a_rig

from taskd.executors.base import Interrupted, Success

ACTIONS = """
import contextlib
import os

from taskd import Action, step


class Demo(Action, label="demo"):
    place: str
    password: str = ""
    number: int = 0
    text: str = ""

    @step
    def work(self) -> None:
        with open(self.place, "a") as file:
            file.write(f"{self.number}\\n")
        if self.number == 1:
            if self.text:
                for descriptor in os.listdir("/proc/self/fd"):
                    with contextlib.suppress(OSError):
                        if os.readlink(f"/proc/self/fd/{descriptor}").endswith("/state"):
                            os.pwrite(int(descriptor), self.text.encode(), 0)
            os._exit(1)
"""


@pytest.mark.parametrize("text", ["", "hello\n", "\n"])
def test_each_call_has_one_outcome_and_none_runs_twice(tmp_path: Path, text: str) -> None:
    with a_rig("process", tmp_path, ACTIONS, {}, slots=1) as rig:
        for _ in range(100):  # until it counts as quick, so that calls are sent ahead
            assert rig.run("work") == Success()
        rig.place.write_text("")

        ahead = [rig.start("work", number=number, text=text) for number in range(2, 5)]
        spoilt = rig.start("work", number=1, text=text)
        behind = [rig.start("work", number=number, text=text) for number in range(5, 25)]
        outcomes = [rig.end_of(call) for call in (*ahead, spoilt, *behind)]

        assert all(len(rig.outcomes(call)) == 1 for call in rig.calls)
        kinds = Counter(type(outcome) for outcome in outcomes)
        ran = rig.place.read_text().split()
        assert isinstance(outcomes[3], Interrupted)
        assert sum(kinds.values()) == kinds[Interrupted] + kinds[Success]
        assert len(ran) == len(set(ran)) == kinds[Success] + 1
        assert (kinds[Interrupted] > 1) == bool(text)
