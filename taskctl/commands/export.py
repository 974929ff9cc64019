"""`taskctl export`."""

import os
from importlib import import_module

import click

from taskctl import suggesting
from taskctl.options import Command, Setup, pass_setup

DAYS = 7
FORMATS = ("html", "html-dir", "csv", "jsonl")  # each a file of `taskctl.export`


@click.command(cls=Command)
@click.option(
    "--search",
    metavar="QUERY",
    help="Only these: 'result = error'.",
    shell_complete=suggesting.query,
)
@click.option(
    "--days",
    type=click.IntRange(0),
    metavar="N",
    help=f"Only those started in the last N days; {DAYS} unless there is a --search.",
)
@click.option(
    "--file",
    type=click.Path(),
    metavar="FILE",
    help="What to write; else a new file in the temporary folder.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="html",
    show_default=True,
    help="Pages in a tar.gz or a folder, a table, or all there is, for an import.",
)
@click.option("--skip-failed", is_flag=True, help="Leave out what cannot be exported.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@pass_setup
def command(
    setup: Setup,
    search: str | None,
    days: int | None,
    file: str | None,
    form: str,
    skip_failed: bool,
    force: bool,
) -> None:
    """Write tasks to a file: pages that work offline, a table, or all there is.

    The file is private, and there only when it is whole. Its name is printed.
    """
    from taskctl.exporting import Tasks, gather
    from taskctl.target import check_place, new_name
    from taskctl.view.counting import counting

    if file == "":
        raise click.BadParameter("it is empty", param_hint="--file")
    if days is None and search is None:
        days = DAYS
    search = search or ""
    format_of = import_module(f"taskctl.export.{form.replace('-', '_')}")
    path = os.path.abspath(file or new_name(format_of.SUFFIX))
    check_place(path, setup.channel.daemon["state_dir"])
    ids = gather(setup.channel, search, days)
    with counting(len(ids), setup.color) as (passed, tell):
        tasks = Tasks(
            setup.channel,
            ids,
            _about(search, days),
            passed=passed,
            tell=tell,
            skip_failed=skip_failed,
        )
        format_of.write(tasks, path, force=force)
    _tell(setup, path, len(ids) - tasks.failed, tasks.failed)


def _about(search: str, days: int | None) -> str:
    begun = f"started in the last {days} days" if days is not None else ""
    return ", ".join(filter(None, (search.strip(), begun)))


def _tell(setup: Setup, path: str, exported: int, failed: int) -> None:
    from taskctl.view.forms import print_one

    if setup.output == "table":
        more = f", {failed} left out" if failed else ""
        click.echo(f"exported {exported} task{'s' * (exported != 1)}{more}", err=True)
        click.echo(path)
    else:
        told = {"file": path, "exported": exported, "failed": failed}
        print_one(setup.output, told, name="file", headers=setup.headers)
