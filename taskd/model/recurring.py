"""A recurring logic: from a cron line, one task after the other.

active ─► finished   its last run has stopped: by its limit, its end or its calendar
   │ ▲
   │ └─► disabled    none of its times counts meanwhile
   ├───► cancelled   by a person, with its tasks
   └───► failed      its action is gone

One task of it is always scheduled, for the next time, while it is active.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from taskd.model.errors import InvalidState
from taskd.model.record import replace
from taskd.model.step import JSON


class LogicState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Missed(StrEnum):
    """What becomes of times that came while no daemon ran."""

    ONCE = "once"  # one late run for all of them
    SKIP = "skip"
    ALL = "all"


class Overlap(StrEnum):
    """What becomes of a run whose time comes while the one before it has not stopped."""

    SKIP = "skip"
    WAIT = "wait"
    PARALLEL = "parallel"
    CANCEL_PREVIOUS = "cancel-previous"


@dataclass(frozen=True)
class LogicEvent:
    """`times` of the same in a row, from `at` to `last_at`."""

    at: datetime
    event: str
    who: str
    detail: str
    times: int
    last_at: datetime


@dataclass(frozen=True, kw_only=True)
class RecurringLogic:
    """The fields up to `history` are what users see."""

    __hidden__: ClassVar = frozenset(("uid", "definition", "order"))

    id: int
    label: str
    name: str
    cron_line: str
    timezone: str
    state: LogicState
    purpose: str | None
    iteration: int  # how many runs have begun
    iteration_limit: int | None
    until: datetime | None
    missed: Missed
    overlap: Overlap
    user: str
    created_at: datetime
    last_occurrence: datetime | None
    next_occurrence: datetime | None
    reason: str  # why it has failed
    task_id: int | None  # the run that is scheduled, or else the last one
    input: dict[str, JSON]
    history: tuple[LogicEvent, ...] = ()

    # Below: what each run is made with.
    uid: int = 0
    definition: JSON = None
    order: dict[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """It has the right to its purpose."""
        return self.state in (LogicState.ACTIVE, LogicState.DISABLED)

    def allows(self, at: datetime | None) -> bool:
        """Whether it may run then, and once more at all."""
        if at is None or (self.until is not None and at > self.until):
            return False
        return self.iteration_limit is None or self.iteration < self.iteration_limit


def begun(logic: RecurringLogic, at: datetime) -> RecurringLogic:
    """Its run of that time."""
    return replace(logic, iteration=logic.iteration + 1, last_occurrence=at, next_occurrence=None)


def disabled(logic: RecurringLogic) -> RecurringLogic:
    """Raises InvalidState."""
    _check(logic, "disable", LogicState.ACTIVE)
    return replace(logic, state=LogicState.DISABLED, next_occurrence=None)


def enabled(logic: RecurringLogic) -> RecurringLogic:
    """Raises InvalidState."""
    _check(logic, "enable", LogicState.DISABLED)
    return replace(logic, state=LogicState.ACTIVE)


def cancelled(logic: RecurringLogic) -> RecurringLogic:
    """Raises InvalidState."""
    _check(logic, "cancel", LogicState.ACTIVE, LogicState.DISABLED)
    return replace(logic, state=LogicState.CANCELLED, next_occurrence=None)


def failed(logic: RecurringLogic, why: str) -> RecurringLogic:
    return replace(logic, state=LogicState.FAILED, reason=why, next_occurrence=None)


def finished(logic: RecurringLogic) -> RecurringLogic:
    return replace(logic, state=LogicState.FINISHED, next_occurrence=None)


def check_deletion(logic: RecurringLogic) -> None:
    """Raises InvalidState."""
    if logic.open:
        raise InvalidState(
            f"cannot delete recurring logic {logic.id}: it is {logic.state}",
            hint=f"taskctl recurring cancel {logic.id}",
        )


def _check(logic: RecurringLogic, verb: str, *states: LogicState) -> None:
    if logic.state not in states:
        raise InvalidState(f"cannot {verb} recurring logic {logic.id}: it is {logic.state}")
