"""`taskctl recurring disable`."""

import click

from taskctl.changing import change
from taskctl.options import Command, Setup, logics_argument, pass_setup


@click.command(cls=Command)
@logics_argument
@pass_setup
def command(setup: Setup, logic_ids: list[int]) -> int:
    """Let recurring logics rest: no run until they are enabled."""
    return change(setup, "recurring.disable", logic_ids, "disabled")
