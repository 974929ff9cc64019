"""`taskctl list`."""

import click

from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import Record, print_list

PAGE = 500  # records a request, with --all

# What CSV holds unless --columns says otherwise, in any terminal.
FIELDS = (
    "id", "name", "label", "state", "result", "started_at", "ended_at", "duration", "progress",
    "user",
)  # fmt: skip


@click.command(cls=Command)
@click.option("--search", metavar="QUERY", default="", help="Only tasks that match.")
@click.option("--order", metavar="COLUMN", default="", help="Sort by a column; -COLUMN: downwards.")
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
    names = [name.strip() for name in columns.split(",")] if columns else []
    query = {"search": search, "order": order, "full": full}
    page = _all(setup, query) if everything else _find(setup, query, limit)
    if setup.output == "table":
        _print_table(setup, page, names)
    else:
        print_list(setup.output, page, fields=names or FIELDS, headers=setup.headers)


LEFT_OUT = frozenset(
    ("steps", "flow", "locks", "links", "errors", "history", "input", "output")
)  # but for --full


def _find(setup: Setup, query: Record, limit: int, after: str = "") -> Record:
    page: Record = setup.channel.ask("tasks.find", **query, limit=limit, after=after)
    if not query["full"]:
        page["items"] = [{k: v for k, v in t.items() if k not in LEFT_OUT} for t in page["items"]]
    return page


def _all(setup: Setup, query: Record) -> Record:
    page = last = _find(setup, query, PAGE)
    while len(last["items"]) == PAGE:
        last = _find(setup, query, PAGE, after=str(last["items"][-1]["id"]))
        page["items"] += last["items"]
    return {"total": len(page["items"]), "items": page["items"]}


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
