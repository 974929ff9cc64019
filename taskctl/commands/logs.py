"""`taskctl logs`."""

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from taskctl import suggesting
from taskctl.options import Command, Setup, pass_setup, task_id
from taskctl.view.forms import Record, as_page, print_list, print_one
from taskctl.view.log import LogPrinter
from taskd.model.errors import InvalidInput
from taskd.model.interval import parse_interval

POLL = 30.0  # seconds that a request may wait for more


@click.command(cls=Command)
@click.argument("where", metavar="ID[/STEP]", shell_complete=suggesting.steps())
@click.option("-f", "--follow", is_flag=True, help="Go on until nothing more will come.")
@click.option("-n", "--tail", type=click.IntRange(0), metavar="N", help="Only the last N lines.")
@click.option("--since", metavar="T", help="Only later lines: a time, or a length as in 10m.")
@click.option("-t", "--times", "moments", is_flag=True, help="Show when each line was printed.")
@pass_setup
def command(
    setup: Setup, where: str, follow: bool, tail: int | None, since: str | None, moments: bool
) -> None:
    """Print what the steps of a task printed."""
    number, _, step = where.partition("/")
    query = {"task_id": task_id(number), "step": step or None}
    first = {"tail": tail, "since": _moment(since) if since else None}
    lines = _lines(setup, query, first, follow)
    if setup.output == "table":
        task = setup.channel.ask("tasks.get", task_id=query["task_id"])
        named = not step and task["type"] != "shell"
        show = LogPrinter(color=setup.color, steps=named, moments=moments)
        for line in lines:
            show(line)
    elif setup.output == "jsonl":
        for line in lines:
            print_one("jsonl", line)
    else:
        print_list(setup.output, as_page(list(lines)), name="text", headers=setup.headers)


def _lines(setup: Setup, query: Record, first: Record, follow: bool) -> Iterator[Record]:
    timeout = POLL if follow else 0.0
    page = setup.channel.ask("logs.read", **query, **first, timeout=0.0)
    while True:
        yield from page["lines"]
        if page["ended"] or not (follow or page["lines"]):
            return
        page = setup.channel.ask("logs.read", **query, position=page["position"], timeout=timeout)


def _moment(text: str) -> str:
    """A local time, or a length of time before now, as ISO 8601 in UTC."""
    if text[:1].isdigit() and "-" not in text and ":" not in text:
        return (datetime.now(UTC) - parse_interval(text)).isoformat()
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except ValueError:
        raise InvalidInput(
            f"cannot read {text!r} as a time: expected e.g. 10m or '2025-11-03 14:00'"
        ) from None
