"""The daily chores: when each was done last, what came of it, and when it is due."""

from collections.abc import Iterator
from datetime import timedelta

from taskd.doctor.patient import Patient, Told, note, ok, utc, warning
from taskd.engine.chores import CHORES, LOOK_SECONDS, PERIOD
from taskd.store import chores
from taskd.store.chores import Last

LATE = timedelta(seconds=2 * LOOK_SECONDS)


def daily(patient: Patient) -> Iterator[Told]:
    with patient.snapshot() as connection:
        found = {chore.name: chores.find(connection, chore.name) for chore in CHORES}
    for name, last in found.items():
        yield _told(patient, name, last)


def _told(patient: Patient, name: str, last: Last | None) -> Told:
    if last is None:
        return note(f"{name}: not yet done")
    due = last.begun_at + PERIOD
    when = f"(last {utc(last.begun_at)}, next {utc(due)})"
    if patient.now > due + LATE:
        remedy = "taskd restart" if patient.engine else "taskd start"
        return warning(f"{name}: late {when}", remedy)
    if last.failed:
        return warning(f"{name}: failed: {last.told} {when}", patient.read_log)
    if last.ended_at is None:
        return note(f"{name}: at work, or a daemon ended meanwhile {when}")
    return ok(f"{name}: {last.told} {when}")
