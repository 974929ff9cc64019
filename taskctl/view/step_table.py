"""The steps of a task: the flow that they make, how each came out, and when it ran."""

from rich.table import Table
from rich.text import Text

from taskctl.view import colors, times
from taskctl.view.bar import Bar
from taskctl.view.branches import branches
from taskctl.view.forms import Record
from taskctl.view.story import at_work
from taskctl.view.table import Column, table
from taskd.model.inert import inert


def step_table(task: Record) -> Table:
    """A row a step. Bars are on a line from the start of the task to its end, its pause or now."""
    steps, rails = task["steps"], branches(task.get("flow"))
    start = times.moment(task["started_at"])
    paused_at = task["state_updated_at"] if task["state"] == "paused" else None
    length = (times.moment(task["ended_at"] or paused_at) - start).total_seconds()

    def name(step: Record) -> Text:
        rail, own = rails.get(step["name"], ""), inert(step["name"])
        return Text.assemble((rail, "dim"), (own, "bold"), no_wrap=True, overflow="ellipsis")

    def share(moment: str | None) -> float:
        return (times.moment(moment) - start).total_seconds() / (length or 1.0)

    def bar(step: Record) -> Bar | Text:
        if not _has_run(step):
            return Text()
        return Bar(share(step["started_at"]), share(step["ended_at"]), colors.state(step))

    columns = [
        Column("step", draw=name, cut=True),
        Column("state", _state, style=colors.state),
        Column("attempts", _attempts, right=True),
        Column("duration", _duration, right=True),
        Column(times.length(length), draw=bar, right=True, cut=True),
    ]
    return table([c for c in columns if any(map(c.cell, steps))], steps)


def _has_run(step: Record) -> bool:
    """Or does. One that waits to be begun again has kept the start of the time before."""
    return at_work(step) or bool(step["ended_at"])


def _state(step: Record) -> str:
    if step["progress"] and (at_work(step) or step["state"] == "error"):
        return f"{step['state']} {times.percent(step['progress'])}"
    return str(step["state"])


def _attempts(step: Record) -> str:
    return str(step["attempts"]) if step["attempts"] > 1 else ""


def _duration(step: Record) -> str:
    return times.between(step["started_at"], step["ended_at"]) if _has_run(step) else ""
