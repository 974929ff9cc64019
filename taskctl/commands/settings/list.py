"""`taskctl settings list`."""

import click

from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import as_page, print_list

FIELDS = ("name", "value", "default", "unit", "source", "where", "at_start", "help")


@click.command(cls=Command)
@pass_setup
def command(setup: Setup) -> None:
    """List all settings: value, default, where the value came from, and what it is."""
    settings = setup.channel.ask("settings.find")
    if setup.output != "table":
        page = as_page(settings)
        print_list(setup.output, page, name="name", fields=FIELDS, headers=setup.headers)
        return
    from taskctl.view.columns import SETTING_COLUMNS
    from taskctl.view.console import show
    from taskctl.view.table import table

    show(setup.color, table(SETTING_COLUMNS, settings, headers=setup.headers))
