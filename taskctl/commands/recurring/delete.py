"""`taskctl recurring delete`."""

import click

from taskctl.changing import change
from taskctl.options import Command, Setup, logics_argument, pass_setup


@click.command(cls=Command)
@logics_argument
@pass_setup
def command(setup: Setup, logic_ids: list[int]) -> int:
    """Delete recurring logics that have ended; their tasks stay."""
    return change(setup, "recurring.delete", logic_ids, "deleted")
