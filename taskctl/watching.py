"""What is asked for again and again: drawn in place on a terminal, else printed when it changes."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias

from taskctl.options import Setup
from taskctl.view.forms import Record, as_page, print_list
from taskctl.view.terminal import draws

RenderableType: TypeAlias = Any  # of rich, which is loaded when something is drawn

PERIOD = 1.0  # seconds
MOVES = ("duration", "version")  # what changes by itself, or says nothing


def watch(setup: Setup, ask: Callable[[], list[Record]], names: Sequence[str]) -> None:
    """A list, until it is interrupted. `names`: the columns; none: those that fit."""
    if not _draws(setup):
        _print_changes(setup, ask, names)
        return
    from taskctl.view import columns
    from taskctl.view.table import table

    def draw(width: int) -> RenderableType:
        chosen = columns.choose(names or columns.for_width(width))
        return table(chosen, ask(), headers=setup.headers)

    _redraw(setup, draw)


def watch_page(
    setup: Setup,
    ask: Callable[[], Record],
    draw: Callable[[Record, int], RenderableType],
    show: Callable[[Record], None],
    moves: Sequence[str],
) -> None:
    """A record, until it is interrupted. `show` prints it where nothing can be drawn, again when
    something else in it than `moves` has changed."""
    if _draws(setup):
        _redraw(setup, lambda width: draw(ask(), width))
    known: Record = {}
    while True:
        page = ask()
        state = {name: value for name, value in page.items() if name not in moves}
        if state != known:
            known = state
            show(page)
            sys.stdout.flush()
        time.sleep(PERIOD)


def _draws(setup: Setup) -> bool:
    return setup.output == "table" and draws(sys.stdout)


def _redraw(setup: Setup, draw: Callable[[int], RenderableType]) -> NoReturn:
    from rich.live import Live

    from taskctl.view.console import console

    screen = console(setup.color)
    with Live(console=screen, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            live.update(draw(screen.width), refresh=True)
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
