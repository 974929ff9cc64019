"""Locks that keep others away, and nobody sees to."""

from collections.abc import Iterator
from datetime import timedelta

from taskd.doctor.patient import Patient, Told, named, note, ok, problem, warning
from taskd.model.interval import write_interval
from taskd.model.task import State
from taskd.store import health

SOON = timedelta(minutes=1)  # in which what is not at rest moves on


def stale(patient: Patient) -> Iterator[Told]:
    since = patient.settings.long_running_after
    long = write_interval(since.total_seconds())
    with patient.snapshot() as connection:
        holders = health.old_holders(connection, patient.now - since, patient.now - SOON)
    paused = [each.task_id for each in holders if each.state is State.PAUSED]
    stuck = [each.task_id for each in holders if not each.moves and each.task_id not in paused]
    slow = [each.task_id for each in holders if each.moves and each.task_id not in paused]
    if stuck:
        yield problem(
            f"held, though nothing of it runs or waits: by {named('task', stuck)}",
            f"taskctl unlock --force {stuck[0]}",
        )
    if paused:
        yield warning(
            f"held while paused for more than {long}: by {named('task', paused)}",
            f"taskctl show {paused[0]}; taskctl resume {paused[0]}",
        )
    if slow:
        yield note(
            f"held while running for more than {long}: by {named('task', slow)}",
            f"taskctl show {slow[0]}",
        )
    if not holders:
        yield ok(f"none is held by what rests for more than {long}")
