"""`taskctl locks`."""

import click

from taskctl import suggesting
from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import as_page, print_list

# What CSV holds.
FIELDS = (
    "resource", "operation", "task_id", "task_name", "state", "user", "since", "held", "behind",
)  # fmt: skip


@click.command(cls=Command)
@click.option(
    "--resource",
    metavar="R",
    help="Only locks on this resource, as in site:blog.",
    shell_complete=suggesting.resources,
)
@pass_setup
def command(setup: Setup, resource: str | None) -> None:
    """Show who holds which lock, and who waits for it.

    The oldest first; those who wait in the order of their turn.
    """
    locks = setup.channel.ask("locks.find", resource=resource)
    if setup.output != "table":
        page = as_page(locks)
        print_list(setup.output, page, name="resource", fields=FIELDS, headers=setup.headers)
        return
    if not locks:
        click.echo("no locks are held or waited for", err=True)
        return
    from taskctl.view.columns import LOCK_COLUMNS
    from taskctl.view.console import show
    from taskctl.view.table import table

    show(setup.color, table(LOCK_COLUMNS, locks, headers=setup.headers))
