"""Steps run here and now, in this thread: for tests. A step that never ends is never ended."""

from collections.abc import Iterable
from typing import TypeVar

from taskd import wire
from taskd.actions.current import Current
from taskd.catalog.python_source import find_action
from taskd.executors.base import Call, Cancelled, Outcome, Progress, Report, as_told
from taskd.executors.printing import printing_to
from taskd.executors.run_step import Find, run_step
from taskd.executors.step_log import StepLog

T = TypeVar("T", Call, Outcome)


class Inline:
    """`start` has run the step, and reported its outcome, when it returns.

    What a step is given and what it returns goes through JSON, as it does between daemon and host.
    """

    slots = 1

    def __init__(self, report: Report, find: Find = find_action) -> None:
        self._report = report
        self._find = find
        self._running: dict[int, Current] = {}

    def start(self, call: Call) -> None:
        def progress(fraction: float, note: str) -> None:
            self._report(call.id, Progress(fraction, note))

        def tell(external_id: str) -> None:
            self._report(call.id, Progress(None, external_id=external_id))

        call, log = _copy(call), StepLog(call)
        current = Current(
            call.task_id, call.attempt, call.kept, progress, tell, log.write, call.secrets
        )
        self._running[call.id] = current
        with printing_to(log):
            outcome = _copy(run_step(call, current, self._find))
        del self._running[call.id]
        self._report(call.id, as_told(Cancelled() if current.cancelled else None, outcome))

    def cancel(self, call_id: int, *, force: bool = False) -> None:  # noqa: ARG002
        """Only a step itself can ask for it: any other call has ended."""
        if current := self._running.get(call_id):
            current.cancelled = True

    def settled(self, call_ids: Iterable[int]) -> None:
        """Nothing is kept."""


def _copy(record: T) -> T:
    return wire.decode(type(record), wire.encode(record))
