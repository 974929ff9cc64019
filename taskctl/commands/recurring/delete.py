"""`taskctl recurring delete`."""

import click

from taskctl.changing import change
from taskctl.options import Command, Selection, Setup, logics_argument, pass_setup, searching_logics


@click.command(cls=Command)
@logics_argument
@pass_setup
@searching_logics
def command(setup: Setup, selection: Selection) -> int:
    """Delete recurring logics that have ended; their tasks stay."""
    return change(setup, "recurring.delete", selection, "deleted")
