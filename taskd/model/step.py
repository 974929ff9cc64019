"""A step: one checkpointed piece of a task's work."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

PLAN = "plan"  # the name of the step that plans
FINALIZE = "finalize"

JSON: TypeAlias = Any  # None, bool, int, float, str, list of JSON or dict of str to JSON


class StepState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUSPENDED = "suspended"  # waits without a thread
    SUCCESS = "success"
    SKIPPED = "skipped"
    ERROR = "error"
    CANCELLED = "cancelled"


class StepKind(StrEnum):
    PLAN = "plan"
    RUN = "run"
    FINALIZE = "finalize"


class Rescue(StrEnum):
    """What becomes of a task one of whose steps failed for good."""

    PAUSE = "pause"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True)
class StepError:
    """Why a step failed.

    `kind` is the exception class, or one of `exit`, `signal`, `timeout`, `interrupted`,
    `unlocked`, `lock-conflict`, `action-changed`. `traceback` is what helps to find the cause: a
    Python traceback, or the last lines that a command wrote to stderr. `detail` holds what else is
    known, e.g. `{"status": 3}`, `{"signal": 9}` or `{"resource": "site:blog", "holders": [41]}`.
    """

    kind: str
    message: str
    traceback: str = ""
    step: str = ""
    action: str = ""
    input: JSON = None
    output: JSON = None
    detail: JSON = None

    @property
    def reason(self) -> str:
        return reason(self.kind, self.message)


def reason(kind: str, message: str) -> str:
    """An error in one line. An exception is named; any other kind its message says already."""
    first, *more = message.strip().splitlines() or [""]
    line = f"{first} …" if more else first
    return f"{kind}: {line}" if kind[:1].isupper() and kind != line else line


@dataclass(frozen=True, kw_only=True)
class Step:
    __hidden__: ClassVar = frozenset(("call_id", "ready", "interruptions", "rescue"))

    name: str
    kind: StepKind
    state: StepState
    number: int  # position in the task: plan 0, then the run steps, finalize last
    needs: tuple[str, ...] = ()
    weight: float = 1.0
    progress: float = 0.0  # 0…1, as last reported
    note: str = ""  # what the step last said of its progress
    attempts: int = 0  # since it was last started afresh
    interruptions: int = 0  # unknown outcomes in a row
    started_at: datetime | None = None
    ended_at: datetime | None = None
    output: JSON = None
    error: StepError | None = None
    kept: JSON = None  # what a polling step keeps between calls
    due_at: datetime | None = None  # not before; for retries and polling
    call_id: int | None = None  # the attempt that runs now
    ready: bool = False  # may start as soon as a slot is free
    rescue: Rescue | None = None  # of a failed step: what was declared when it failed

    @property
    def waits_for_time(self) -> bool:
        """Suspended until it is called again, rather than for sub-tasks."""
        due = self.ready or self.due_at is not None
        return self.state is StepState.SUSPENDED and due

    @property
    def waits_for_lock(self) -> bool:
        """`kept` is the plan until then."""
        return self.state is StepState.SUSPENDED and self.kind is StepKind.PLAN

    @property
    def waits_for_tasks(self) -> bool:
        return self.state is StepState.SUSPENDED and not (
            self.waits_for_time or self.waits_for_lock
        )

    @property
    def finished(self) -> bool:
        """Its followers may start."""
        return self.state is StepState.SUCCESS or self.state is StepState.SKIPPED
