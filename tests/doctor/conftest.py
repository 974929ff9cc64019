"""A daemon in this process, of which one check is asked at a time."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from looking import Look, Seen
from stage import Stage

from taskd.doctor.patient import Check, Patient
from taskd.settings import Settings

NEVER = timedelta(0)


@pytest.fixture
def look(stage: Stage) -> Look:
    """What a check says, `later`. `alone`: no daemon answers."""
    engine = stage.engine
    os.chmod(stage.places.state, 0o700)

    def look(
        check: Check,
        later: timedelta = NEVER,
        *,
        alone: bool = False,
        client: str = "",
        settings: Settings | None = None,
    ) -> Seen:
        patient = Patient(
            stage.places,
            settings or Settings(),
            datetime.now(UTC) + later,
            stage.database.snapshot,
            None if alone else engine,
            client,
        )
        told = list(check(patient))
        return Seen(
            [str(severity) for severity, _, _ in told],
            "\n".join(message for _, message, _ in told),
            [remedy for _, _, remedy in told if remedy],
        )

    return look
