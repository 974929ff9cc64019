"""`taskctl settings`: what the daemon goes by."""

import click

from taskctl.group import Commands
from taskctl.options import GLOBAL_OPTIONS


@click.group(
    cls=Commands,
    package="taskctl.commands.settings",
    params=[*GLOBAL_OPTIONS],
    invoke_without_command=True,
)
@click.pass_context
def command(context: click.Context) -> None:
    """Show and change the daemon's settings; without a command: list them.

    The environment of the daemon goes before its configuration file, and that before what is set
    here.
    """
    if context.invoked_subcommand is None:
        from taskctl.commands.settings import list as listing  # only needed here

        context.invoke(listing.command)
