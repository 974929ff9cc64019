"""What every executor takes and gives: a `Call`, and one `Outcome` for it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from taskd.model.definition import Definition, StepDefinition
from taskd.model.lock import Lock
from taskd.model.step import JSON, StepError
from taskd.model.task import Flow


class CallKind(StrEnum):
    STEP = "step"  # a run step or finalize
    PLAN = "plan"  # the author's title(), locks() and plan()


@dataclass(frozen=True, kw_only=True)
class Call:
    """One attempt of one step. `id` is unique in a store and never used again.

    `input` holds the secrets too; it is handed to the process that runs the step and goes nowhere
    else. `outputs` are those of the steps that it needs. `log` is the file for what it prints, at
    most `log_limit` bytes of it; `cancel_grace` is in seconds.
    """

    id: int
    task_id: int
    task_name: str
    user: str
    kind: CallKind
    step: str
    attempt: int
    definition: Definition
    step_definition: StepDefinition | None  # None for a plan
    input: dict[str, JSON]
    outputs: dict[str, JSON]
    kept: JSON
    log: str
    log_limit: int
    cancel_grace: float
    secrets: tuple[str, ...] = ()  # values that a log must not show


@dataclass(frozen=True)
class Success:
    output: JSON = None


@dataclass(frozen=True)
class Failure:
    error: StepError


@dataclass(frozen=True)
class Planned:
    """What the author's code says of a task. `flow` is None for `as written`."""

    name: str
    flow: Flow
    locks: tuple[Lock, ...] = ()


@dataclass(frozen=True)
class Cancelled:
    """It ended because it was told to."""


@dataclass(frozen=True)
class NeverRan:
    """It was not begun, and can be given out again."""


@dataclass(frozen=True)
class Interrupted:
    """What ran it died; nobody knows how far it got."""

    reason: str


Outcome: TypeAlias = Success | Failure | Planned | Cancelled | NeverRan | Interrupted
Report: TypeAlias = Callable[[int, Outcome], None]


class Executor(Protocol):
    """`start` and `cancel` return at once; outcomes come through the `Report` it was made with.

    Each call that was started is reported exactly once.
    """

    def start(self, call: Call) -> None: ...

    def cancel(self, call_id: int, *, force: bool = False) -> None:
        """Tell the step, and end its whole process tree after the call's grace; `force`: now."""
