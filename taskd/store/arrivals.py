"""Records as tasks: what an import brings.

Nothing of it moves: a task that had not stopped comes in as stopped, and its history says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from taskd.model.errors import InvalidInput
from taskd.model.step import StepState
from taskd.model.task import Result, State
from taskd.store.archive import DELEGATION, EVENT, LOCK, PLACE, STEP, TASK
from taskd.store.parsing import Parser, Parts, Types, Whole
from taskd.store.times import to_number
from taskd.store.values import Fields

MAX_ID = 10**15  # those that are given after it are exact numbers in any program
MAX_OWN_ID = 2**53 - 1  # the last of these
MAX_NAME = 200  # bytes of a step's, which is in names of files

Row: TypeAlias = tuple[Any, ...]

_UNFINISHED = (StepState.PENDING, StepState.RUNNING, StepState.SUSPENDED)

_TASK, _STEPS, _LINKS = Parts(TASK), Parts(STEP, "steps"), Parts(LOCK, "links")
_HISTORY, _PLACE = Parts(EVENT, "history"), Parts(PLACE, "place")
_DELEGATIONS = Parts(DELEGATION, "delegations")


def _members(types: Types) -> list[tuple[Any, ...]]:
    return [
        ("store", types.text),
        ("steps", _STEPS.several(types), []),
        ("links", _LINKS.several(types), []),
        ("history", _HISTORY.several(types), []),
        ("descriptions", dict.__class_getitem__((types.text, types.text)), {}),
        ("after", list[Whole], []),
        ("delegations", _DELEGATIONS.several(types), []),
        ("place", _PLACE.struct(types) | None, None),
        ("logs", dict[str, str], {}),
    ]


_parser = Parser(_TASK, _members)


@dataclass(frozen=True)
class Arrival:
    """A task that is to come in: its rows, by table (`taskd.store.admission.COLUMNS`)."""

    id: int
    rows: dict[str, list[Row]]
    logs: dict[str, str]  # those that stand in the record

    @property
    def mark(self) -> int:
        """Two that differ have different ones, in this process."""
        return hash(tuple(map(tuple, self.rows.values())))


def read(line: bytes, own: str, who: str, now: datetime) -> Arrival:
    """The task of a record, as `who` brings it into the store `own`. Raises InvalidInput."""
    record = _parser.parse(line)
    if not 0 < record.id <= (MAX_OWN_ID if record.store == own else MAX_ID):
        raise InvalidInput(f"id: it cannot be {record.id}")
    task, steps = _TASK.row(record), [_STEPS.row(step) for step in record.steps]
    history = [_HISTORY.row(event) for event in record.history]
    _check_steps(record.steps, steps)
    if record.state != State.STOPPED:
        history.append(_imported(record.state, who, now))
        task = _changed(TASK, task, _stopped(record, now))
        steps = [_changed(STEP, step, _ended(step, now)) for step in steps]
    origin = None if record.store == own else record.store  # the store in which it began
    place = [record.place] if record.place else []
    rows = {
        "tasks": [(*task, origin, record.name.casefold())],
        "steps": [(*step, record.id, record.priority) for step in steps],
        "links": [(record.id, link.resource) for link in _links(record)],
        "history": [(*event, record.id, number) for number, event in enumerate(history)],
        "descriptions": [(what, text, record.id) for what, text in record.descriptions.items()],
        "prerequisites": [(record.id, before) for before in record.after],
        "delegations": [(*each, record.id) for each in map(_DELEGATIONS.row, record.delegations)],
        "children": [(*each, record.id) for each in map(_PLACE.row, place)],
    }
    return Arrival(record.id, rows, record.logs)


_DUE_AT = STEP.names.index("due_at")


def _check_steps(steps: Sequence[Any], rows: list[list[Any]]) -> None:
    """Their names become names of files. None is due."""
    if len({step.name for step in steps}) < len(steps):
        raise InvalidInput("two steps have the same name")
    if len({step.number for step in steps}) < len(steps):
        raise InvalidInput("two steps have the same number")
    for step, row in zip(steps, rows, strict=True):
        if not step.name.isidentifier() or len(step.name.encode()) > MAX_NAME:
            raise InvalidInput(f"a step cannot be named {step.name[:50]!r}")
        row[_DUE_AT] = None


def _links(record: Any) -> Sequence[Any]:
    """But for the first one, to its user, which is not stored."""
    links: Sequence[Any] = record.links
    return links[1:] if links and links[0].resource == f"user:{record.user}" else links


def _changed(fields: Fields, row: list[Any], changes: Mapping[str, Any]) -> list[Any]:
    return [changes.get(name, value) for name, value in zip(fields.names, row, strict=True)]


def _imported(state: str, who: str, now: datetime) -> list[Any]:
    event = {"at": to_number(now), "event": "imported", "who": who, "detail": f"it was {state}"}
    return [event[name] for name in EVENT.names]


def _stopped(record: Any, now: datetime) -> dict[str, Any]:
    """What becomes of a task that had not stopped."""
    failed = record.result == Result.ERROR or any(s.state == StepState.ERROR for s in record.steps)
    return {
        "state": str(State.STOPPED),
        "result": str(Result.ERROR if failed else Result.CANCELLED),
        "ended_at": to_number(now),
        "state_updated_at": to_number(now),
        "cancelling": 0,
        "resumable": 0,
    }


def _ended(row: Sequence[Any], now: datetime) -> dict[str, Any]:
    """What becomes of a step of such a task."""
    state = row[STEP.names.index("state")]
    if state not in _UNFINISHED:
        return {}
    ended_at = None if state == StepState.PENDING else to_number(now)
    return {"state": str(StepState.CANCELLED), "ended_at": ended_at}
