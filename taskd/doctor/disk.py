"""Room on the disk, and what grows there."""

import os
from collections.abc import Iterator
from pathlib import Path

from taskd.doctor.patient import Patient, Told, command, note, ok, problem, size, warning
from taskd.store import check, reserve

LITTLE = 512 << 20  # bytes
FEW = 10_000  # files
LONG_LOG = 64 << 20


def room(patient: Patient) -> Iterator[Told]:
    state = patient.places.state
    disk = os.statvfs(next(folder for folder in (state, *state.parents) if folder.exists()))
    free = disk.f_bavail * disk.f_frsize
    few = disk.f_files > 0 and disk.f_favail < FEW
    told = f"{size(free)} free on the disk of {state}"
    remedy = f"{command('df', '-h', state)}; {command('du', '-xh', '--max-depth=1', state)}"
    if free < reserve.LEAST:
        yield problem(told, remedy)
    elif free < LITTLE:
        yield warning(told, remedy)
    elif few:
        yield warning(
            f"{disk.f_favail} more files fit on the disk of {state}", command("df", "-i", state)
        )
    else:
        yield ok(told)
    if patient.engine and _taken(check.wal_of(patient.places.store)) < reserve.SIZE:
        yield warning(
            f"{size(reserve.SIZE)} that the store is to have for a full disk are not kept", remedy
        )


def logs(patient: Patient) -> Iterator[Told]:
    """Of the daemon, and of SQLite."""
    log, wal = patient.places.log, check.wal_of(patient.places.store)
    long, large = _length(log), _length(wal)
    if long > LONG_LOG:
        yield note(f"{log} has {size(long)}", command("truncate", "-s", 0, log))
    if large > patient.settings.large_wal:
        yield warning(
            f"{wal} has {size(large)}: somebody reads the store for long",
            command("fuser", "-v", wal),
        )
    if long <= LONG_LOG and large <= patient.settings.large_wal:
        yield ok(f"{log.name} {size(long)}, {wal.name} {size(large)}")


def _taken(file: Path) -> int:
    return file.stat().st_blocks * 512 if file.exists() else 0


def _length(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
