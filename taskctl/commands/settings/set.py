"""`taskctl settings set`."""

import click

from taskctl import suggesting
from taskctl.options import Command, Setup, pass_setup
from taskctl.view.settings import print_changed


@click.command(cls=Command, context_settings={"ignore_unknown_options": True})  # -1 is a value
@click.argument("name", shell_complete=suggesting.settings)
@click.argument("value")
@pass_setup
def command(setup: Setup, name: str, value: str) -> None:
    """Store a setting. It holds at once, and after a restart.

    Refused for what the configuration file or the environment sets, and for what counts only when
    the daemon starts.
    """
    print_changed(setup.output, setup.channel.ask("settings.set", name=name, value=value))
