"""All checks, one after the other."""

import logging
from collections.abc import Iterator, Mapping

from taskd.doctor import chores, clock, daemon, disk, files, leftovers, locks, schedule, store
from taskd.doctor.patient import Check, Patient, Told, problem
from taskd.model.finding import Finding

log = logging.getLogger(__name__)

# What can be said of a daemon that answers, and of one that does not.
OF_DAEMON: Mapping[str, Check] = {
    "socket": daemon.socket,
    "versions": daemon.versions,
    "at work": daemon.at_work,
}
OF_NONE: Mapping[str, Check] = {"daemon": daemon.holder}
OF_HOST: Mapping[str, Check] = {
    "configuration": files.configuration,
    "actions": files.actions,
    "state directory": files.state,
    "disk": disk.room,
    "logs": disk.logs,
    "time zone": clock.zone,
}
OF_STORE: Mapping[str, Check] = {
    "store": store.schema,
    "clock": clock.clock,
    "integrity": store.integrity,
    "locks": locks.stale,
    "schedule": schedule.overdue,
    "recurring": schedule.recurring,
    "daily chores": chores.daily,
    "leftovers": leftovers.orphans,
}


def examine(patient: Patient, *tables: Mapping[str, Check]) -> list[Finding]:
    """Each check of `tables` has at least one finding."""
    return [
        found
        for table in tables
        for name, check in table.items()
        for found in _by(patient, name, check)
    ]


def _by(patient: Patient, name: str, check: Check) -> Iterator[Finding]:
    told: list[Told] = []
    try:
        told += check(patient)
    except Exception as error:  # what keeps one from its work is a finding; the others go on
        log.exception("the check of %s has failed", name)
        told.append(
            problem(f"cannot be looked at: {error or type(error).__name__}", patient.read_log)
        )
    for severity, message, remedy in told:
        yield Finding(name, severity, message, remedy)
