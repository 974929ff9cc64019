"""All of the API: each file registers its methods when it is imported."""

from taskd.api import (  # noqa: F401
    actions,
    cleanup,
    daemon,
    dashboard,
    doctor,
    history,
    locks,
    logs,
    recurring,
    settings,
    tasks,
)
