"""`taskctl settings get`."""

import click

from taskctl import suggesting
from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import print_one


@click.command(cls=Command)
@click.argument("name", shell_complete=suggesting.settings)
@pass_setup
def command(setup: Setup, name: str) -> None:
    """Print the value of a setting, written as `set` takes it."""
    setting = setup.channel.ask("settings.get", name=name)
    if setup.output != "table":
        print_one(setup.output, setting, name="name", headers=setup.headers)
        return
    from taskctl.view.settings import written
    from taskd.model.inert import inert

    print(inert(written(setting, "value")))
