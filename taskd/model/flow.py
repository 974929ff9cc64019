"""In which order steps run: nested names of steps, stored as JSON.

"dump"                          one step
["sequence", a, b]              b after a
["concurrence", a, b]           a and b side by side
"""

from collections.abc import Mapping

from taskd.model.step import JSON, Step, StepState


def names(flow: JSON) -> list[str]:
    """Every step name in `flow`, in the order written."""
    if isinstance(flow, str):
        return [flow]
    return [name for part in flow[1:] for name in names(part)]


def ready(flow: JSON, steps: Mapping[str, Step]) -> list[str]:
    """The steps that may start now. What follows a failed step in a sequence waits."""
    if isinstance(flow, str):
        return [flow] if steps[flow].state is StepState.PENDING else []
    kind, *parts = flow
    if kind == "concurrence":
        return [name for part in parts for name in ready(part, steps)]
    for part in parts:
        if isinstance(part, str):
            if not steps[part].finished:
                return ready(part, steps)
        elif not all(steps[name].finished for name in names(part)):
            return ready(part, steps)
    return []
