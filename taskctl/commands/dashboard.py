"""`taskctl dashboard`."""

from functools import partial
from typing import Any

import click

from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import Record, as_page, print_list, print_one
from taskctl.watching import watch_page

MOVES = ("at", "since")  # what changes by itself


@click.command(cls=Command)
@click.option("--watch", "again", is_flag=True, help="Show it again when it changes.")
@pass_setup
def command(setup: Setup, again: bool) -> None:
    """Show on one page what is going on.

    Numbers of tasks, what needs a hand and what to type, what comes next. CSV has the numbers.
    """
    if again:
        watch_page(setup, partial(_ask, setup), _draw, partial(_print, setup), MOVES)
    else:
        _print(setup, _ask(setup))


def _ask(setup: Setup) -> Record:
    page: Record = setup.channel.ask("dashboard.get")
    return page


def _print(setup: Setup, page: Record) -> None:
    if setup.output in ("csv", "name"):
        print_list(setup.output, as_page(page["counts"]), name="state", headers=setup.headers)
    elif setup.output != "table":
        print_one(setup.output, page)
    else:
        from taskctl.view.console import console, show

        shown = page | {"note": ""}  # which stderr has already
        show(setup.color, _draw(shown, console().width))


def _draw(page: Record, width: int) -> Any:
    from taskctl.view.dashboard import dashboard

    return dashboard(page, width)
