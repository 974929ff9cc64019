"""`taskctl recurring cancel`."""

import click

from taskctl.changing import change
from taskctl.options import Command, Setup, logics_argument, pass_setup


@click.command(cls=Command)
@logics_argument
@pass_setup
def command(setup: Setup, logic_ids: list[int]) -> int:
    """End recurring logics, with their tasks that have not stopped."""
    return change(setup, "recurring.cancel", logic_ids, "cancelled")
