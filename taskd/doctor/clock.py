"""The clock and the time zone, which all that is scheduled depends on."""

import ctypes
from collections.abc import Iterator
from datetime import timedelta

from taskd.doctor.patient import Patient, Told, note, ok, utc, warning
from taskd.local_zone import local_zone
from taskd.store import health

AHEAD = timedelta(minutes=1)  # by which the store may be before the clock
_TIMEX_BYTES = 256  # at least as large as the kernel's struct
_UNSYNCHRONISED = 5  # TIME_ERROR; below it are the states of a clock that is kept


def clock(patient: Patient) -> Iterator[Told]:
    with patient.snapshot() as connection:
        newest = health.newest_change(connection)
    if newest and newest - patient.now > AHEAD:
        yield warning(
            f"the clock says {utc(patient.now)}, but something has happened at {utc(newest)}",
            "timedatectl",
        )
    for at, seconds in patient.engine.director.clock_sets if patient.engine else ():
        yield note(f"it was set by {seconds:+.1f} s at {utc(at)}", "timedatectl")
    if _is_kept():
        yield ok("it is kept by NTP")
    else:
        yield note("nothing keeps it: the kernel knows of no NTP", "timedatectl set-ntp true")


def _is_kept() -> bool:
    """By the word of adjtimex(2), which changes nothing where all is zero."""
    told = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return 0 <= told < _UNSYNCHRONISED


def zone(_patient: Patient) -> Iterator[Told]:
    name = local_zone()
    if name[0] in "+-":
        yield warning(
            f"the time zone has no name, only its offset now ({name}): schedules do not follow"
            " when clocks are changed",
            "timedatectl set-timezone Europe/Berlin; taskd restart",
        )
    else:
        yield ok(name)
