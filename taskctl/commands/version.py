"""`taskctl version`."""

import click

from taskctl import VERSION
from taskctl.options import Command, Setup, pass_setup


@click.command(cls=Command)
@pass_setup
def command(setup: Setup) -> None:
    """The version of taskctl."""
    if setup.output == "table":
        click.echo(f"taskctl {VERSION}")
    else:
        from taskctl.view.forms import print_one

        print_one(setup.output, {"version": VERSION}, name="version")
