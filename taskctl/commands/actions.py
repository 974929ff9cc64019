"""`taskctl actions`."""

import click

from taskctl import suggesting
from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import Record, as_page, print_list, print_one


@click.command(cls=Command)
@click.argument("label", required=False, shell_complete=suggesting.labels)
@click.option("--broken", is_flag=True, help="Action files that could not be loaded, and why.")
@pass_setup
def command(setup: Setup, label: str | None, broken: bool) -> None:
    """List the known actions, or show one.

    LABEL: with its inputs, steps and locks.
    """
    if label and broken:
        raise click.UsageError("give a LABEL or --broken, not both")
    if broken:
        _list(setup, setup.channel.ask("actions.broken"), "file", "no action file is broken")
    elif label:
        _show(setup, setup.channel.ask("actions.get", label=label))
    else:
        _list(setup, setup.channel.ask("actions.find"), "label", "no actions are known")
        _tell_broken(len(setup.channel.ask("actions.broken")))


def _list(setup: Setup, records: list[Record], name: str, none: str) -> None:
    if setup.output != "table":
        print_list(setup.output, as_page(records), name=name, headers=setup.headers)
        return
    if not records:
        click.echo(none, err=True)
        return
    from taskctl.view.columns import ACTION_COLUMNS, BROKEN_COLUMNS
    from taskctl.view.console import show
    from taskctl.view.table import table

    columns = BROKEN_COLUMNS if name == "file" else ACTION_COLUMNS
    show(setup.color, table(columns, records, headers=setup.headers))


def _tell_broken(count: int) -> None:
    if count:
        files = "1 action file" if count == 1 else f"{count} action files"
        click.echo(f"{files} could not be loaded: taskctl actions --broken", err=True)


def _show(setup: Setup, action: Record) -> None:
    if setup.output != "table":
        print_one(setup.output, action, name="label", headers=setup.headers)
        return
    from taskctl.view.action_panel import action_panel
    from taskctl.view.console import show

    show(setup.color, action_panel(action))
