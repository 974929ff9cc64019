"""What is in order and what is not."""

from dataclasses import replace
from datetime import UTC, datetime

from taskd.api.access import Permission
from taskd.api.methods import errand
from taskd.doctor.examine import OF_DAEMON, OF_HOST, OF_STORE, examine
from taskd.doctor.patient import Patient
from taskd.engine.engine import Engine
from taskd.model.finding import Finding


@errand(Permission.VIEW_TASKS)
def look(engine: Engine, client: str = "") -> list[Finding]:
    """Each thing that was looked at, and how it is. `client` is the version of who asks."""
    patient = Patient(
        replace(engine.places, config_named=False),  # `taskd start` names it in any case
        engine.settings,
        datetime.now(UTC),
        engine.database.snapshot,
        engine,
        client,
    )
    return examine(patient, OF_DAEMON, OF_HOST, OF_STORE)
