"""`taskctl recurring cancel`."""

import click

from taskctl.changing import change
from taskctl.options import Command, Selection, Setup, logics_argument, pass_setup, searching_logics


@click.command(cls=Command)
@logics_argument
@pass_setup
@searching_logics
def command(setup: Setup, selection: Selection) -> int:
    """End recurring logics, with their tasks that have not stopped."""
    return change(setup, "recurring.cancel", selection, "cancelled")
