"""What a cleanup deletes by itself, and how that is kept."""

from datetime import timedelta

import click

from taskctl.view.columns import CLEANUP_COLUMNS
from taskctl.view.console import show
from taskctl.view.forms import Record
from taskctl.view.table import table
from taskd.model.inert import inert


def show_config(color: str, config: Record, *, headers: bool) -> None:
    if config["parts"]:
        show(color, table(CLEANUP_COLUMNS, config["parts"], headers=headers))
    else:
        click.echo("no action says cleanup_after, and the configuration has no rules")
    click.echo("each day by itself" if config["daily"] else "only by taskctl cleanup: see `daily`")
    backup = config["backup"]
    kept = f"{timedelta(seconds=backup['keep']).days} days, at most {backup['max_size'] >> 20} MiB"
    click.echo(
        inert(f"kept in {backup['folder']}: {kept}") if backup["enabled"] else "nothing is kept"
    )
