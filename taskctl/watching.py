"""A list that is asked for again and again: drawn in place on a terminal, else a line a change."""

import sys
import time
from collections.abc import Callable, Sequence

from taskctl.options import Setup
from taskctl.view.forms import Record, as_page, print_list

PERIOD = 1.0  # seconds
MOVES = ("duration", "version")  # what changes by itself, or says nothing


def watch(setup: Setup, ask: Callable[[], list[Record]], names: Sequence[str]) -> None:
    """Until it is interrupted. `names`: the columns; none: those that fit."""
    if setup.output == "table" and sys.stdout.isatty():
        _redraw(setup, ask, names)
    else:
        _print_changes(setup, ask, names)


def _redraw(setup: Setup, ask: Callable[[], list[Record]], names: Sequence[str]) -> None:
    from rich.live import Live

    from taskctl.view import columns
    from taskctl.view.console import console
    from taskctl.view.table import table

    screen = console(setup.color)
    with Live(console=screen, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            chosen = columns.choose(names or columns.for_width(screen.width))
            live.update(table(chosen, ask(), headers=setup.headers), refresh=True)
            time.sleep(PERIOD)


def _print_changes(setup: Setup, ask: Callable[[], list[Record]], names: Sequence[str]) -> None:
    """Those that are new in the list, or have changed, oldest first."""
    known: dict[int, Record] = {}
    headers = setup.headers
    while True:
        for task in sorted(ask(), key=lambda task: int(task["id"])):
            state = {name: value for name, value in task.items() if name not in MOVES}
            if known.get(task["id"]) != state:
                known[task["id"]] = state
                _print_line(setup, task, names, headers=headers)
                headers = False
        sys.stdout.flush()
        time.sleep(PERIOD)


def _print_line(setup: Setup, task: Record, names: Sequence[str], *, headers: bool) -> None:
    from taskctl.view import columns
    from taskctl.view.console import show
    from taskctl.view.table import table

    if setup.output == "table":
        chosen = columns.choose(names or columns.WIDE)
        show(setup.color, table(chosen, [task], headers=headers))
    else:
        shown = {name: task[name] for name in names} if names else task
        form = "jsonl" if setup.json else setup.output
        print_list(form, as_page([shown]), headers=headers)
