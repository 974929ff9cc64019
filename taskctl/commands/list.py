"""`taskctl list`."""

import sys

import click

from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import Record, as_page, print_list

PAGE = 500  # records a request

# What CSV holds unless --columns says otherwise, in any terminal.
FIELDS = (
    "id", "name", "label", "state", "result", "started_at", "ended_at", "duration", "progress",
    "user",
)  # fmt: skip


@click.command(cls=Command)
@click.option("--search", default="", hidden=True)  # the daemon says that there is none yet
@click.option("--order", default="", hidden=True)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most.")
@click.option("--all", "everything", is_flag=True, help="All tasks, not only the newest.")
@click.option("--columns", metavar="A,B", help="Show these columns.")
@click.option("--full", is_flag=True, help="With steps, locks, errors, input and output (json).")
@pass_setup
def command(
    setup: Setup,
    search: str,
    order: str,
    limit: int,
    everything: bool,
    columns: str | None,
    full: bool,
) -> None:
    """List tasks, newest first."""
    names = _choose(columns, full) if columns else []
    query = {"search": search, "order": order, "full": full}
    page = _find(setup, query, sys.maxsize if everything else limit)
    if everything:
        page = as_page(page["items"])
    if setup.output == "table":
        _print_table(setup, page, names)
        return
    if names and setup.output != "name":
        page["items"] = [{name: task.get(name) for name in names} for task in page["items"]]
    print_list(setup.output, page, fields=names or FIELDS, headers=setup.headers)


LEFT_OUT = frozenset(
    ("steps", "flow", "locks", "links", "errors", "history", "input", "output")
)  # but for --full


def _choose(columns: str, full: bool) -> list[str]:
    """The names in `columns`. Raises InvalidInput for one that is no column."""
    from taskctl.view.columns import choose

    names = [name.strip() for name in columns.split(",")]
    choose([name for name in names if not (full and name in LEFT_OUT)])
    return names


def _find(setup: Setup, query: Record, limit: int) -> Record:
    """The newest tasks as one page, however many the daemon makes of it."""
    items: list[Record] = []
    while True:
        wanted = min(PAGE, limit - len(items))
        after = str(items[-1]["id"]) if items else ""
        page: Record = setup.channel.ask("tasks.find", **query, limit=wanted, after=after)
        items += page["items"]
        if len(page["items"]) < wanted or len(items) >= limit:
            break
    if not query["full"]:
        items = [{k: v for k, v in task.items() if k not in LEFT_OUT} for task in items]
    return page | {"items": items}


def _print_table(setup: Setup, page: Record, names: list[str]) -> None:
    from taskctl.view import columns
    from taskctl.view.console import console, show
    from taskctl.view.table import table

    chosen = columns.choose(names or columns.for_width(console().width))
    if not page["items"]:
        click.echo("no tasks; taskctl actions lists what can be run", err=True)
        return
    show(setup.color, table(chosen, page["items"], headers=setup.headers))
    shown, total = len(page["items"]), page["total"]
    if total is None or total > shown:
        count = "more than 10,000" if total is None else total
        click.echo(f"{shown} of {count} tasks; --limit N or --all shows more", err=True)
