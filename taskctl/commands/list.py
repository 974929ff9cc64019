"""`taskctl list`."""

import sys
from collections.abc import Iterator
from functools import partial
from itertools import chain

import click

from taskctl import suggesting
from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import Record, print_one, print_pages
from taskctl.watching import watch

PAGE = 500  # records a request
_DEFAULT = click.core.ParameterSource.DEFAULT

# What CSV holds unless --columns says otherwise, in any terminal.
FIELDS = (
    "id", "name", "label", "state", "result", "started_at", "ended_at", "duration", "progress",
    "user",
)  # fmt: skip


@click.command(cls=Command)
@click.option(
    "--search",
    metavar="QUERY",
    default="",
    help="Only these: 'state = paused'.",
    shell_complete=suggesting.query,
)
@click.option(
    "--order",
    metavar="COLUMN",
    default="",
    help="As in 'duration desc'.",
    shell_complete=suggesting.order,
)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most.")
@click.option("--all", "everything", is_flag=True, help="All of them, as they are found.")
@click.option(
    "--columns", metavar="A,B", help="Show these columns.", shell_complete=suggesting.columns
)
@click.option("--count", is_flag=True, help="Only how many there are.")
@click.option("--full", is_flag=True, help="With steps, locks, errors, input and output (json).")
@click.option("--watch", "again", is_flag=True, help="Show them again when they change.")
@click.option("--explain", is_flag=True, help="How the search is read and looked up.")
@pass_setup
def command(
    setup: Setup,
    search: str,
    order: str,
    limit: int,
    everything: bool,
    columns: str | None,
    count: bool,
    full: bool,
    again: bool,
    explain: bool,
) -> None:
    """List tasks, newest first.

    A QUERY holds conditions as in 'state = paused and label ~ backup'. A TAB in it suggests what
    can be searched for.
    """
    if everything and click.get_current_context().get_parameter_source("limit") is not _DEFAULT:
        raise click.UsageError("--all and --limit exclude each other")
    if count and again:
        raise click.UsageError("--count and --watch exclude each other")
    if explain:
        _explain(setup, search, order)
    elif count:
        _count(setup, search)
    else:
        names = _choose(columns, full) if columns else []
        query = {"search": search, "order": order, "full": full}
        if again:
            watch(setup, partial(_first, setup, query, limit), names)
        pages = _pages(setup, query, sys.maxsize if everything else limit)
        if setup.output == "table":
            _print_table(setup, pages, names, searched=bool(search.strip()))
        else:
            print_pages(
                setup.output,
                _trimmed(pages, names if setup.output != "name" else [], full),
                fields=names or FIELDS,
                headers=setup.headers,
            )


LEFT_OUT = frozenset(
    ("steps", "flow", "locks", "links", "errors", "history", "input", "output")
)  # but for --full


def _choose(columns: str, full: bool) -> list[str]:
    """The names in `columns`. Raises InvalidInput for one that is no column."""
    from taskctl.view.columns import choose

    names = [name.strip() for name in columns.split(",")]
    choose([name for name in names if not (full and name in LEFT_OUT)])
    return names


def _first(setup: Setup, query: Record, limit: int) -> list[Record]:
    page = next(_trimmed(_pages(setup, query, min(limit, PAGE)), [], full=query["full"]))
    items: list[Record] = page["items"]
    return items


def _pages(setup: Setup, query: Record, limit: int) -> Iterator[Record]:
    """The tasks, page by page, as they are asked for."""
    left, after = limit, ""
    while True:
        wanted = min(PAGE, left)
        page: Record = setup.channel.ask("tasks.find", **query, limit=wanted, after=after)
        yield page
        left -= wanted
        if len(page["items"]) < wanted or not left:
            return
        after = page["after"]


def _trimmed(pages: Iterator[Record], names: list[str], full: bool) -> Iterator[Record]:
    """With the fields that were asked for."""
    for page in pages:
        items = page["items"]
        if names:
            items = [{name: task.get(name) for name in names} for task in items]
        elif not full:
            items = [{k: v for k, v in task.items() if k not in LEFT_OUT} for task in items]
        yield page | {"items": items}


def _print_table(
    setup: Setup, pages: Iterator[Record], names: list[str], *, searched: bool
) -> None:
    from taskctl.view import columns
    from taskctl.view.console import console, show
    from taskctl.view.table import table

    chosen = columns.choose(names or columns.for_width(console().width))
    first = next(pages)
    shown, total = 0, first["total"]
    for page in chain([first], pages):
        if page["items"]:
            headers = setup.headers and not shown
            show(setup.color, table(chosen, page["items"], headers=headers))
        shown += len(page["items"])
    _tell_how_many(shown, total, searched)


def _tell_how_many(shown: int, total: int | None, searched: bool) -> None:
    if not shown:
        none = "no tasks; taskctl actions lists what can be run"
        click.echo("no such task" if searched else none, err=True)
    elif total is None or total > shown:
        count = "more than 10,000" if total is None else total
        click.echo(f"{shown} of {count} tasks; --limit N or --all shows more", err=True)


def _count(setup: Setup, search: str) -> None:
    number = setup.channel.ask("tasks.count", search=search)
    if setup.output in ("table", "name"):
        click.echo(number)
    else:
        print_one(setup.output, {"count": number}, headers=setup.headers)


def _explain(setup: Setup, search: str, order: str) -> None:
    told = setup.channel.ask("tasks.explain", search=search, order=order)
    if setup.output != "table":
        print_one(setup.output, told, name="query", headers=setup.headers)
        return
    from taskd.model.inert import inert

    click.echo(f"query  {inert(told['query']) or 'all tasks'}")
    click.echo(f"order  {told['order']}")
    for line in told["plan"]:
        click.echo(f"sqlite {line}")
