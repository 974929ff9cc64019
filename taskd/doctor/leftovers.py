"""What is left on the disk and belongs to nothing."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from taskd.doctor.patient import NAMED, Patient, Told, command, note, ok, warning
from taskd.executors import alive
from taskd.store import health, steps, tasks

SECONDS = 2.0  # to look for logs
FRESH = 60.0  # seconds, in which a folder may just be made, or be about to go


def orphans(patient: Patient) -> Iterator[Told]:
    found = [*_logs(patient), *_copies(patient)]
    if patient.engine:  # a later daemon takes up those that an earlier one has left
        found += _workplaces(patient)
    yield from found or [ok("nothing is left over")]


def _logs(patient: Patient) -> Iterator[Told]:
    begun, orphaned = time.monotonic(), []
    for folder in _folders(patient.places.logs):
        if time.monotonic() - begun > SECONDS:
            yield note(f"not all logs could be looked at in {SECONDS:g} s", "taskctl doctor")
            break
        orphaned += _orphaned_logs(patient, folder)
    if orphaned:
        yield warning(f"logs of {len(orphaned)} tasks that are deleted", _remove(orphaned))


def _orphaned_logs(patient: Patient, folder: Path) -> list[Path]:
    """In a folder of a thousand tasks. A task that is made meanwhile is no orphan."""
    names = {int(each.name): each for each in _folders(folder) if each.name.isdecimal()}
    if not names:
        return []
    with patient.snapshot() as connection:
        known = health.task_ids(connection, min(names), max(names))
        last = tasks.last_id(connection)
    return [
        path
        for task_id, path in names.items()
        if task_id <= last and task_id not in known and path.exists()
    ]


def _workplaces(patient: Patient) -> Iterator[Told]:
    """Of attempts and hosts that nobody is at."""
    with patient.snapshot() as connection:
        calls = {str(call_id) for call_id in steps.running(connection)}
    places = patient.places
    left = [each for each in _folders(places.attempts) if each.name not in calls]
    left += _folders(places.hosts)
    if unused := [each for each in left if _is_unused(each)]:
        names = ", ".join(f"{each.parent.name}/{each.name}" for each in unused[:NAMED])
        yield warning(f"{len(unused)} folders of nothing that runs: {names}", "taskd restart")


def _is_unused(folder: Path) -> bool:
    with suppress(FileNotFoundError):  # it has just been removed
        return time.time() - folder.stat().st_mtime > FRESH and not alive.is_held(folder)
    return False


def _copies(patient: Patient) -> Iterator[Told]:
    """That were made when something else took their place."""
    state, name = patient.places.state, patient.places.store.name
    copies = [
        *state.glob(f"{name}.schema-*"),
        *state.glob("logs.old-*"),
        *state.glob(f"{name}*.old"),
    ]
    if copies:
        yield note(f"{len(copies)} copies of what was replaced, in {state}", _remove(copies))


def _folders(path: Path) -> list[Path]:
    try:
        return [each for each in path.iterdir() if each.is_dir()]
    except FileNotFoundError:
        return []


def _remove(paths: list[Path]) -> str:
    more = " …" if len(paths) > NAMED else ""
    return command("rm", "-r", *sorted(paths)[:NAMED]) + more
