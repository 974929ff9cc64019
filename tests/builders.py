"""Records for tests: each builder fills in what does not matter, so a test names what does."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from taskd.model import flow as flows
from taskd.model import lifecycle
from taskd.model.definition import Definition, StepDefinition
from taskd.model.step import JSON, Step, StepError, StepKind, StepState
from taskd.model.task import ExecutionType, Result, State, Task

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def a_step(name: str = "work", state: str = "pending", **changes: Any) -> Step:
    fields: dict[str, Any] = {"kind": StepKind.RUN, "number": 1} | changes
    return Step(name=name, state=StepState(state), **fields)


def a_plan(state: str = "success", **changes: Any) -> Step:
    return a_step("plan", state, **{"kind": StepKind.PLAN, "number": 0} | changes)


def a_task(state: str = "planned", steps: Iterable[Step] = (), **changes: Any) -> Task:
    """`steps` are the records, in their order; none of them: as before planning."""
    fields: dict[str, Any] = {
        "id": 1,
        "label": "demo",
        "name": "Demo",
        "result": Result.PENDING,
        "user": "ana",
        "uid": 1000,
        "execution_type": ExecutionType.IMMEDIATE,
        "type": "python",
        "priority": 0,
        "key": None,
        "created_at": NOW,
        "start_at": NOW,
        "start_before": None,
        "started_at": None,
        "ended_at": None,
        "state_updated_at": NOW,
        "progress": 0.0,
        "parent_task_id": None,
        "recurring_logic_id": None,
        "external_id": None,
    }
    return Task(state=State(state), steps={s.name: s for s in steps}, **fields | changes)


def a_new_task(**changes: Any) -> Task:
    """Just created: it has its plan step only."""
    return lifecycle.create(a_task(**changes), NOW)


def a_planned_task(flow: JSON, *steps: Step, finalize: bool = False, **changes: Any) -> Task:
    """Planned with the steps of `flow`; `steps` are those of which something matters."""
    given = {step.name: step for step in steps}
    names = [*(flows.names(flow) if flow else []), *["finalize"] * finalize]
    records = [
        given.get(name)
        or a_step(
            name, number=number, kind=StepKind.FINALIZE if name == "finalize" else StepKind.RUN
        )
        for number, name in enumerate(names, 1)
    ]
    return lifecycle.planned(a_new_task(**changes), "Demo", flow, records, NOW)


def an_error(message: str = "it broke", **changes: Any) -> StepError:
    return StepError(kind="RuntimeError", message=message, **changes)


def a_definition(
    label: str = "demo", steps: Iterable[str] = ("work",), **changes: Any
) -> Definition:
    """An action whose steps run one after the other, and which is planned without a host."""
    names = list(steps)
    fields: dict[str, Any] = {
        "type": "python",
        "title": "Demo",
        "steps": tuple(StepDefinition(name=name) for name in names),
        "flow": ["sequence", *names],
    }
    return Definition(label=label, **fields | changes)
