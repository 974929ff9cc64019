"""One recurring logic in full: attributes, coming times, last tasks, history."""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from taskctl.view import colors, times
from taskctl.view.columns import LOGIC_EVENT_COLUMNS, choose, runs
from taskctl.view.forms import Record
from taskctl.view.panel import attributes, indented, section
from taskctl.view.table import table
from taskd.model.inert import inert

TASK_COLUMNS = ("id", "state", "result", "started_at", "duration")


def logic_panel(logic: Record, coming: list[Record], tasks: list[Record]) -> RenderableType:
    return Group(
        Text.assemble((f"Recurring logic {logic['id']}", "bold"), "  ", inert(logic["name"])),
        indented(attributes(_attributes(logic))),
        *section("Next", _next(logic, coming)),
        *section("Tasks", [table(choose(TASK_COLUMNS), tasks)] if tasks else []),
        *section("History", [table(LOGIC_EVENT_COLUMNS, logic["history"], headers=False)]),
    )


def _attributes(logic: Record) -> Iterable[tuple[str, Text]]:
    return [
        ("label", Text(inert(logic["label"]))),
        ("state", Text(logic["state"], style=colors.state(logic))),
        ("reason", Text(inert(logic["reason"]))),
        ("cron line", Text(logic["cron_line"])),
        ("time zone", Text(logic["timezone"])),
        ("purpose", Text(inert(logic["purpose"] or ""))),
        ("runs", Text(runs(logic))),
        ("until", Text(times.exactly(logic["until"]))),
        ("missed", Text(logic["missed"])),
        ("overlap", Text(logic["overlap"])),
        ("user", Text(inert(logic["user"]))),
        ("created", Text(times.exactly(logic["created_at"]))),
        ("last", Text(times.exactly(logic["last_occurrence"]))),
        ("scheduled", Text(f"task {logic['task_id']}" if logic["next_occurrence"] else "")),
    ]


def _next(logic: Record, coming: list[Record]) -> Iterator[RenderableType]:
    for each in coming:
        told = times.in_zone(each["at"], logic["timezone"])
        yield Text(inert(told + times.aside(each["note"])))
