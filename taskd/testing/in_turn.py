"""The executor of a test: one step after the other, commands of YAML included."""

import time
from collections import deque
from pathlib import Path

from taskd.executors import attempt
from taskd.executors.attempt import Running
from taskd.executors.base import Call, Failure, Outcome, Report
from taskd.executors.inline import Inline
from taskd.executors.run_step import Find
from taskd.model.step import StepError


class InTurn(Inline):
    """Calls wait for `work`, which the director is no part of: so a step may ask for a change."""

    def __init__(self, report: Report, find: Find, attempts: Path) -> None:
        super().__init__(report, find)
        self._attempts = attempts
        self._waiting: deque[Call] = deque()

    def start(self, call: Call) -> None:
        self._waiting.append(call)

    def work(self) -> bool:
        """Run the next step; False when none waits."""
        if not self._waiting:
            return False
        call = self._waiting.popleft()
        if call.command:
            self._report(call.id, self._run_command(call))
        else:
            super().start(call)
        return True

    def _run_command(self, call: Call) -> Outcome:
        folder = self._attempts / str(call.id)
        try:
            attempt.begin(folder, call).wait()
        except (OSError, ValueError) as error:
            return Failure(StepError("start", f"cannot start the command: {error}"))
        while isinstance(state := attempt.examine(folder), Running):
            time.sleep(0.01)  # a process that inherited the lock has it a moment longer
        attempt.remove(folder)
        return state
