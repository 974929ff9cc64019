"""What was to begin by now, and logics that start nothing more."""

from collections.abc import Iterator
from datetime import timedelta

from taskd.doctor.patient import Patient, Told, named, note, ok, problem, utc, warning
from taskd.model.recurring import LogicState
from taskd.store import health, meta

LATE = timedelta(minutes=1)


def overdue(patient: Patient) -> Iterator[Told]:
    with patient.snapshot() as connection:
        drained = meta.get(connection, "drained", "")
        count, first = health.overdue(connection, patient.now - LATE)
    if first is None:
        yield ok("nothing is late")
    elif drained:
        yield note(f"late, since no step is started: {count}, the first since {utc(first)}")
    else:
        remedy = "taskd restart" if patient.engine else "taskd start"
        steps = "1 step was" if count == 1 else f"{count} steps were"
        yield problem(f"{steps} to begin by now, the first at {utc(first)}", remedy)


def recurring(patient: Patient) -> Iterator[Told]:
    with patient.snapshot() as connection:
        broken = health.logics_without_task(connection)
        by_state = health.logics_by_state(connection)
    failed, disabled = by_state[LogicState.FAILED], by_state[LogicState.DISABLED]
    if broken:
        again = f"taskctl recurring disable {broken[0]}; taskctl recurring enable {broken[0]}"
        yield problem(f"active, but their next run is no task: {named('logic', broken)}", again)
    if failed:
        yield warning(
            f"failed, and will start nothing: {named('logic', failed)}",
            f"taskctl recurring show {failed[0]}",
        )
    if disabled:
        yield note(
            f"disabled: {named('logic', disabled)}", f"taskctl recurring enable {disabled[0]}"
        )
    if not (broken or failed or disabled):
        yield ok(f"{len(by_state[LogicState.ACTIVE])} active")
