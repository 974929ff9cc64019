"""What can be said while no daemon answers: the findings as JSON. A process of `taskctl doctor`."""

import logging
import os
import sys
from datetime import UTC, datetime
from functools import partial

from taskd import wire
from taskd.doctor.examine import OF_HOST, OF_NONE, OF_STORE, examine
from taskd.doctor.patient import Patient
from taskd.model.errors import StoreError
from taskd.model.finding import Finding, Severity
from taskd.places import Places, find_places
from taskd.settings import Settings, load
from taskd.store import check


def main() -> None:
    logging.disable()  # what goes wrong in a check is a finding
    places = find_places()
    snapshot = partial(check.reading, places.store)
    patient = Patient(places, _settings(places), datetime.now(UTC), snapshot)
    found = examine(patient, OF_NONE, OF_HOST)
    try:
        there = check.admit(places.store, thorough=False)
    except StoreError as error:
        found.append(Finding("store", Severity.PROBLEM, error.message, error.hint))
    else:
        if there:
            found += examine(patient, OF_STORE)
        else:
            found.append(Finding("store", Severity.OK, f"there is none yet at {places.store}"))
    sys.stdout.write(wire.dumps(found))


def _settings(places: Places) -> Settings:
    """The defaults where they cannot be read, which is among the findings."""
    try:
        return load(places.config, os.environ)
    except StoreError:
        return Settings()


if __name__ == "__main__":
    main()
