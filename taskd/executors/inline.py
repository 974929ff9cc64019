"""Steps run here and now, in this thread: for tests. A step that never ends is never ended."""

from collections.abc import Iterable

from taskd.actions.current import Current
from taskd.executors.base import Call, Progress, Report
from taskd.executors.printing import printing_to
from taskd.executors.run_step import run_step
from taskd.executors.step_log import StepLog


class Inline:
    """`start` has run the step, and reported its outcome, when it returns."""

    slots = 1

    def __init__(self, report: Report) -> None:
        self._report = report

    def start(self, call: Call) -> None:
        def progress(fraction: float, note: str) -> None:
            self._report(call.id, Progress(fraction, note))

        def tell(external_id: str) -> None:
            self._report(call.id, Progress(None, external_id=external_id))

        log = StepLog(call)
        current = Current(call.task_id, call.attempt, call.kept, progress, tell, log.write)
        with printing_to(log):
            outcome = run_step(call, current)
        self._report(call.id, outcome)

    def cancel(self, call_id: int, *, force: bool = False) -> None:
        """Too late: it has ended."""

    def settled(self, call_ids: Iterable[int]) -> None:
        """Nothing is kept."""
