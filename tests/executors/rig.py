"""An executor at work: what it is given, and all that it reports."""

import contextlib
import itertools
import queue
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from attempts import wait_for

from taskd.catalog.python_source import mount
from taskd.executors.base import Call, CallKind, Executor, Outcome, Progress
from taskd.executors.inline import Inline
from taskd.executors.pool import Pool
from taskd.loop import Loop
from taskd.model.definition import Command, Isolation
from taskd.settings import Settings

PATIENCE = 20.0  # seconds; far above what anything here takes
_OF_A_CALL = {field.name for field in fields(Call)}


class Rig:
    """`commands` are lines for the shell by the name of their step, where steps are commands."""

    def __init__(
        self, folder: Path, isolation: Isolation, commands: dict[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.executor: Executor
        self.reports: list[tuple[int, Outcome | Progress]] = []
        self.calls: list[Call] = []
        self._isolation = isolation
        self._commands = commands
        self._numbers = itertools.count(1)
        self._reported: queue.SimpleQueue[tuple[int, Outcome | Progress]] = queue.SimpleQueue()

    def report(self, call_id: int, outcome: Outcome | Progress) -> None:
        self._reported.put((call_id, outcome))

    def within(self, function: Callable[[], object]) -> None:
        """In the thread that the executor belongs to."""
        function()

    def start(self, step: str, **changes: Any) -> Call:
        """Changes that are no field of a call are inputs."""
        number = next(self._numbers)
        usual: dict[str, Any] = {
            "id": number, "task_id": 42, "task_name": "Demo", "user": "ana", "label": "demo",
            "kind": CallKind.STEP, "step": step, "attempt": 1, "module": "taskd_actions.demo",
            "name": "Demo", "revision": "", "input": {}, "outputs": {}, "kept": None,
            "log": str(self.folder / "logs" / f"{number}.log"), "log_limit": 1 << 20,
            "timeout": None, "cancel_grace": 10.0, "isolation": self._isolation,
            "command": self._commands and Command(line=self._commands[step]),
        }  # fmt: skip
        own = {name: changes.pop(name) for name in list(changes) if name in _OF_A_CALL}
        input = {"place": str(self.place), "password": ""} | changes
        call = Call(**usual | {"input": input} | own)
        self.calls.append(call)
        self.within(lambda: self.executor.start(call))
        return call

    def cancel(self, call: Call, *, force: bool = False) -> None:
        self.within(lambda: self.executor.cancel(call.id, force=force))

    def settle(self, *calls: Call) -> None:
        self.within(lambda: self.executor.settled([call.id for call in calls]))

    def outcomes(self, call: Call) -> list[Outcome]:
        return [
            said for number, said in self.reports
            if number == call.id and not isinstance(said, Progress)
        ]  # fmt: skip

    def end_of(self, call: Call) -> Outcome:
        """What became of it; waits for that."""
        while not self.outcomes(call):
            self.reports.append(self._reported.get(timeout=PATIENCE))
        return self.outcomes(call)[0]

    def run(self, step: str, **changes: Any) -> Outcome:
        return self.end_of(self.start(step, **changes))

    def log_of(self, call: Call) -> list[str]:
        """Stream and text of each line."""
        lines = Path(call.log).read_text().splitlines()
        return [f"{stream} {text}" for _, stream, _, text in (line.split(" ", 3) for line in lines)]

    @property
    def place(self) -> Path:
        """What steps write to, unless they are told another one."""
        return self.folder / "place"


class PoolRig(Rig):
    """The executors of a daemon, in a loop as it has one."""

    def __init__(self, *arguments: Any, slots: int = 4) -> None:
        super().__init__(*arguments)
        self.loop = Loop("loop")
        self.executor = self.pool = Pool(
            self.loop,
            self.report,
            Settings(executor_slots=slots, host_idle=timedelta(minutes=5)),
            attempts=self.folder / "attempts",
            hosts=self.folder / "hosts",
            action_folders=[str(self.folder / "actions")],
        )
        self.loop.after_round = [self.pool.flush]
        self.loop.start()

    def within(self, function: Callable[[], object]) -> None:
        self.loop.call(function)

    def close(self) -> None:
        """End what still runs, and then nothing is left: no process, and no folder of one."""
        for call in self.calls:
            if not self.outcomes(call):
                self.cancel(call, force=True)
        for call in self.calls:
            self.end_of(call)
        self.settle(*self.calls)
        self.within(lambda: self.pool.renew([]))
        wait_for(self._has_nothing_left)
        self.loop.stop()

    def _has_nothing_left(self) -> bool:
        self.settle()
        return not [*self.folder.glob("hosts/*/pid"), *self.folder.glob("attempts/*")]


@contextlib.contextmanager
def a_rig(
    executor: str, folder: Path, actions: str, commands: dict[str, str], slots: int
) -> Iterator[Rig]:
    """`inline`, or one of those that a pool has: `process`, `thread`, `command`."""
    (folder / "actions").mkdir()
    (folder / "actions" / "demo.py").write_text(actions)
    if executor == "inline":
        mount([str(folder / "actions")])
        rig = Rig(folder, Isolation.PROCESS)
        rig.executor = Inline(rig.report)
        yield rig
    else:
        isolation = Isolation.THREAD if executor == "thread" else Isolation.PROCESS
        pool = PoolRig(folder, isolation, commands if executor == "command" else None, slots=slots)
        try:
            yield pool
        finally:
            pool.close()
