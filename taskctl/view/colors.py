"""The colours of states and results: the same in every view."""

from taskctl.view.forms import Record

STATES = {
    "scheduled": "blue",
    "planned": "blue",
    "running": "cyan",
    "suspended": "blue",
    "paused": "yellow",
    "stopped": "dim",
    "success": "green",
    "warning": "yellow",
    "error": "red",
    "cancelled": "magenta",
    "pending": "dim",
    "skipped": "dim",
    # of recurring logics
    "active": "green",
    "disabled": "yellow",
    "finished": "dim",
    "failed": "red",
}


def state(record: Record) -> str:
    return STATES.get(record["state"], "")


def result(record: Record) -> str:
    return STATES.get(record["result"], "")
