"""The store: its schema, and whether it can be read."""

import time
from collections.abc import Iterator

from taskd.doctor.patient import Patient, Told, note, ok, problem, size, warning
from taskd.store import health

SECONDS = 3.0  # to read through it; a large store takes longer


def schema(patient: Patient) -> Iterator[Told]:
    path = patient.places.store
    with patient.snapshot() as connection:
        version, known = health.schema(connection)
    if version != known:
        yield warning(f"{path} has schema {version}, this program knows {known}", "taskd restart")
    else:
        yield ok(f"{path}, schema {version}, {size(path.stat().st_size)}")


def integrity(patient: Patient) -> Iterator[Told]:
    begun = time.monotonic()
    with patient.snapshot() as connection:
        damage = health.find_damage(connection, SECONDS)
    if damage is None:
        yield note(
            f"no fault in what could be read in {SECONDS:g} s, which is not all", "taskd check"
        )
    elif damage:
        yield problem(f"the store is damaged: {damage}", "taskd stop; taskd restore FILE")
    else:
        yield ok(f"read through in {time.monotonic() - begun:.1f} s, no fault")
