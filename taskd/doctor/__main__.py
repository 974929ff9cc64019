"""What can be said while no daemon answers: the findings as JSON. A process of `taskctl doctor`."""

import logging
import sys
from datetime import UTC, datetime
from functools import partial

from taskd import wire
from taskd.check import Findings, configuration
from taskd.doctor.examine import OF_HOST, OF_NONE, OF_STORE, examine
from taskd.doctor.patient import Patient
from taskd.model.errors import StoreError
from taskd.model.finding import Finding, Severity
from taskd.places import find_places
from taskd.store import check


def main() -> None:
    logging.disable()  # what goes wrong in a check is a finding
    places = find_places()
    snapshot = partial(check.reading, places.store)
    settings = configuration(places, Findings())  # a mistake in it is among the findings
    patient = Patient(places, settings, datetime.now(UTC), snapshot)
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


if __name__ == "__main__":
    main()
