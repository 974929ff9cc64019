"""`taskctl settings unset`."""

import click

from taskctl import suggesting
from taskctl.options import Command, Setup, pass_setup
from taskctl.view.settings import print_changed


@click.command(cls=Command)
@click.argument("name", shell_complete=suggesting.settings)
@pass_setup
def command(setup: Setup, name: str) -> None:
    """Take back what was stored: the default holds again, at once."""
    print_changed(setup.output, setup.channel.ask("settings.unset", name=name))
