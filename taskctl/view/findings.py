"""What `taskctl doctor` has found, the worst first, each with what to type."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskctl.view.forms import Record
from taskctl.view.panel import indented
from taskd.model.inert import inert

# From the worst on: how many are called so, and their colour.
SEVERITIES = {
    "problem": ("problem", "problems", "red"),
    "warning": ("warning", "warnings", "yellow"),
    "note": ("note", "notes", "cyan"),
    "ok": ("in order", "in order", "green"),
}


def findings(checks: list[Record]) -> RenderableType:
    return Group(*_groups(checks))


def _groups(checks: list[Record]) -> Iterator[RenderableType]:
    for severity, (one, many, color) in SEVERITIES.items():
        if found := [check for check in checks if check["severity"] == severity]:
            title = f"{len(found)} {one if len(found) == 1 else many}"
            yield Text(title, style=f"bold {color}")
            yield indented(_table(found))


def _table(found: list[Record]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for check in found:
        grid.add_row(Text(inert(check["name"])), Text(inert(check["message"])))
        if check["remedy"]:
            grid.add_row(Text(), Text(inert(check["remedy"]), style="bold"))
    return grid
