"""taskd: durable tasks on a Linux host. What a task author imports.

Names are loaded when they are used, since clients import this package too and must start fast.
Their types stand in `__init__.pyi`.
"""

from importlib import import_module

_HOMES = {
    "Action": "taskd.actions.action",
    "CommandFailed": "taskd.actions.command",
    "Lock": "taskd.model.lock",
    "OnConflict": "taskd.model.task",
    "Rescue": "taskd.model.step",
    "Retry": "taskd.model.definition",
    "Secret": "taskd.actions.secret",
    "Snooze": "taskd.actions.outcome",
    "SubTasks": "taskd.actions.outcome",
    "action": "taskd.actions.function",
    "concurrence": "taskd.actions.flow",
    "exclusive": "taskd.model.lock",
    "link": "taskd.model.lock",
    "on": "taskd.actions.hooks",
    "request": "taskd.actions.outcome",
    "sequence": "taskd.actions.flow",
    "step": "taskd.actions.step",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'taskd' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(globals().keys() | _HOMES)
