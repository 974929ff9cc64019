"""`taskctl recurring enable`."""

import click

from taskctl.changing import change
from taskctl.options import Command, Selection, Setup, logics_argument, pass_setup, searching_logics


@click.command(cls=Command)
@logics_argument
@pass_setup
@searching_logics
def command(setup: Setup, selection: Selection) -> int:
    """Let recurring logics go on, from their next time on."""
    return change(setup, "recurring.enable", selection, "")
