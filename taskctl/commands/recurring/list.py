"""`taskctl recurring list`."""

import click

from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import Record, print_list

FIELDS = (
    "id", "name", "label", "cron_line", "timezone", "state", "purpose", "iteration",
    "iteration_limit", "until", "last_occurrence", "next_occurrence", "user",
)  # fmt: skip


@click.command(cls=Command)
@click.option("--search", metavar="QUERY", default="", help="Only these: 'state = active'.")
@pass_setup
def command(setup: Setup, search: str) -> None:
    """List recurring logics, newest first."""
    page: Record = setup.channel.ask("recurring.find", search=search)
    if setup.output != "table":
        print_list(setup.output, page, fields=FIELDS, headers=setup.headers)
        return
    if not page["items"]:
        none = "no recurring logics; taskctl run --cron starts one"
        click.echo("no such recurring logic" if search.strip() else none, err=True)
        return
    from taskctl.view.columns import LOGIC_COLUMNS
    from taskctl.view.console import show
    from taskctl.view.table import table

    show(setup.color, table(LOGIC_COLUMNS, page["items"], headers=setup.headers))
