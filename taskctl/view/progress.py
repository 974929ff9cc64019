"""Tasks that are waited for, drawn in place: state, bar, step and what it last said."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from taskctl.view import colors, times
from taskctl.view.forms import Record
from taskctl.view.story import at_work
from taskd.model.inert import inert


class Progress:
    """Call it with a task whenever it has changed. It leaves nothing behind when it ends."""

    def __init__(self, console: Console) -> None:
        self._tasks: dict[int, Record] = {}
        self._live = Live(
            get_renderable=self._table, console=console, transient=True, refresh_per_second=5
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def __call__(self, task: Record) -> None:
        self._tasks[task["id"]] = task
        self._live.refresh()

    def _table(self) -> Table:
        return progress_table(list(self._tasks.values()))


def progress_table(tasks: list[Record]) -> Table:
    """A line a task."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for task in tasks:
        grid.add_row(
            Text(str(task["id"]), style="bold"),
            _cut(inert(task["name"])),
            Text(task["state"], style=colors.state(task)),
            ProgressBar(total=1.0, completed=task["progress"], width=20),
            Text(times.percent(task["progress"]), justify="right"),
            Text(times.between(task["started_at"], task["ended_at"]), style="dim"),
            _cut(inert("; ".join(_said(s) for s in task.get("steps") or () if at_work(s)))),
        )
    return grid


def _said(step: Record) -> str:
    return f"{step['name']}: {step['note']}" if step["note"] else str(step["name"])


def _cut(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")
