"""Configuration, action files and the state directory, as `taskd check` sees them."""

import stat
from collections.abc import Iterator

from taskd import check
from taskd.check import Findings
from taskd.doctor.patient import Patient, Told, command, note, ok, problem, warning


def configuration(patient: Patient) -> Iterator[Told]:
    found = Findings()
    check.configuration(patient.places, found)
    file = patient.places.config
    well = f"{file} can be read" if file.exists() else f"the defaults: there is no {file}"
    yield from _told(found, well, "taskd check")


def actions(patient: Patient) -> Iterator[Told]:
    found = Findings()
    check.actions(patient.places, patient.settings, found)
    yield from _told(found, "all action files can be loaded", "taskctl actions --broken")


def state(patient: Patient) -> Iterator[Told]:
    found = Findings()
    check.ways(patient.places, found)
    folder = patient.places.state
    if folder.exists() and stat.S_IMODE(folder.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        yield note(f"others can look into {folder}", command("chmod", 700, folder))
    yield from _told(found, str(folder), "taskd check")


def _told(found: Findings, well: str, remedy: str) -> Iterator[Told]:
    for text in found.problems:
        yield problem(text, remedy)
    for text in found.notes:
        yield warning(text, "taskd check")
    if not (found.problems or found.notes):
        yield ok(well)
