"""`taskctl undrain`."""

import click

from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import print_one


@click.command(cls=Command)
@pass_setup
def command(setup: Setup) -> None:
    """Let steps start again after `taskctl drain`."""
    answer = setup.channel.ask("daemon.undrain")
    if setup.output != "table":
        print_one(setup.output, answer, name="was_drained")
    else:
        click.echo("steps start again" if answer["was_drained"] else "it was not drained")
