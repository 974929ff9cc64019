"""`taskctl import`."""

import click

from taskctl.options import Command, Setup, pass_setup


@click.command(cls=Command)
@click.argument("file", type=click.Path())
@click.option("--skip-existing", is_flag=True, help="Pass over tasks whose ids are taken.")
@pass_setup
def command(setup: Setup, file: str, skip_existing: bool) -> None:
    """Bring tasks back from an export as JSON lines, or from a backup of a cleanup.

    FILE may be packed by gzip. All of it is checked before anything changes. Tasks keep their ids
    and times; those that had not stopped come in as stopped.
    """
    from taskctl.importing import bring
    from taskctl.view.forms import print_one

    done = bring(setup.channel, file, skip_existing=skip_existing, color=setup.color)
    told = {name: done[name] for name in ("imported", "skipped")}
    if setup.output != "table":
        print_one(setup.output, told, name="imported", headers=setup.headers)
        return
    skipped = f", {told['skipped']} passed over: their ids are taken" if told["skipped"] else ""
    click.echo(f"imported {told['imported']} task{'s' * (told['imported'] != 1)}{skipped}")
