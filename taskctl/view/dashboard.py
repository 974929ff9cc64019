"""What is going on, on one page; side by side where there is room."""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskctl.view import colors, times
from taskctl.view.forms import Record
from taskctl.view.panel import section
from taskctl.view.table import Column, table
from taskd.model.inert import inert

ROOM_FOR_TWO = range(140, 1000)  # columns; a pipe has more, and reads from top to bottom


def dashboard(page: Record, width: int) -> RenderableType:
    numbers = [
        *([Text(page["note"], style="yellow"), Text()] if page["note"] else []),
        *_section("Tasks", [table(COUNT_COLUMNS, page["counts"])]),
    ]
    troubles = [
        *_section("In need of a hand", _paused(page)),
        *_section("Latest errors and warnings", _table(FAILED_COLUMNS, page["failed"])),
    ]
    others = [
        *_section("Next", _table(COMING_COLUMNS, page["coming"])),
        *_section("Waiting for locks", _table(LINE_COLUMNS, page["waiting"])),
        *_section("Runs that were skipped", _table(SKIPPED_COLUMNS, page["skipped"])),
    ]
    if width not in ROOM_FOR_TWO or not troubles:
        return Group(*(numbers + troubles + others)[:-1])
    grid = Table.grid(padding=(0, 4, 0, 0), expand=True)
    grid.add_column(ratio=2)
    grid.add_column(ratio=3)
    grid.add_row(Group(*(numbers + others)[:-1]), Group(*troubles[:-1]))
    return grid


def _section(title: str, body: Iterable[RenderableType]) -> Iterator[RenderableType]:
    """With an empty line below it instead of above."""
    if parts := list(section(title, body)):
        yield from (*parts[1:], Text())


def _table(columns: tuple[Column, ...], records: list[Record]) -> Iterator[RenderableType]:
    if records:
        yield table(columns, records, headers=False)


def _paused(page: Record) -> Iterator[RenderableType]:
    if not page["paused"]:
        return
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for task in page["paused"]:
        number = str(task["task_id"])
        since = f"  since {times.at(task['at'])}"
        grid.add_row(Text(number, style="bold"), Text.assemble(inert(task["name"]), (since, "dim")))
        grid.add_row(Text(), Text(inert(task["why"]), style=colors.result(task)))
        grid.add_row(Text(), Text(f"taskctl resume {number}", style="bold"))
    yield grid
    total = sum(count["total"] for count in page["counts"] if count["state"] == "paused")
    if more := total - len(page["paused"]):
        yield Text(f"and {more:,} more: taskctl list --search 'state = paused'", style="dim")


def _number(field: str, heading: str) -> Column:
    return Column(
        heading, lambda count: "–" if count[field] is None else f"{count[field]:,}", right=True
    )


def _run(task: Record) -> str:
    logic = task["recurring_logic_id"]
    return f"{task['cron_line']} (recurring {logic})" if logic else f"task {task['task_id']}"


def _how(skip: Record) -> str:
    return f"{skip['event']} {skip['times']} ×" if skip["times"] > 1 else str(skip["event"])


def _behind(line: Record) -> str:
    return ", ".join(f"behind task {each}" for each in line["holders"])


COUNT_COLUMNS = (
    Column("state", style=colors.state),
    Column("result", lambda count: count["result"].replace("pending", ""), style=colors.result),
    _number("total", "all"),
    _number("recent", "last 24 h"),
)
FAILED_COLUMNS = (
    Column("at", lambda task: times.at(task["at"])),
    Column("task_id", style="bold", right=True),
    Column("result", style=colors.result),
    Column("name", cut=True),
    Column("why", style="dim", cut=True),
)
COMING_COLUMNS = (
    Column("at", lambda task: times.at(task["at"])),
    Column("name", cut=True),
    Column("run", _run, style="dim", cut=True),
)
LINE_COLUMNS = (
    Column("resource", cut=True),
    Column("waiting", lambda line: f"{line['waiting']:,} waiting", right=True),
    Column("since", lambda line: f"since {times.at(line['since'])}"),
    Column("behind", _behind, style="dim", cut=True),
)
SKIPPED_COLUMNS = (
    Column("at", lambda skip: times.at(skip["at"])),
    Column("recurring_logic_id", style="bold", right=True),
    Column("name", cut=True),
    Column("event", _how),
    Column("detail", style="dim", cut=True),
)
