"""All of the API: each file registers its methods when it is imported."""

from taskd.api import actions, daemon, doctor, locks, logs, recurring, settings, tasks  # noqa: F401
