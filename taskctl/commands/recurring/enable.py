"""`taskctl recurring enable`."""

import click

from taskctl.changing import change
from taskctl.options import Command, Setup, logics_argument, pass_setup


@click.command(cls=Command)
@logics_argument
@pass_setup
def command(setup: Setup, logic_ids: list[int]) -> int:
    """Let recurring logics go on, from their next time on."""
    return change(setup, "recurring.enable", logic_ids, "enabled")
