"""`taskctl cleanup`."""

import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import click

from taskctl import suggesting
from taskctl.acting import is_asked_by_a_person
from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import Record, as_page, print_list, print_one
from taskd.model.errors import InvalidInput
from taskd.model.inert import inert

POLL = 0.1  # seconds
BATCH_SIZE = 1000
FIELDS = ("name", "filter", "matched", "deleted")  # of a part, for programs


@click.command(cls=Command)
@click.option(
    "--search",
    metavar="Q",
    help="Delete what this means, instead of what the configuration says.",
    shell_complete=suggesting.query,
)
@click.option("--after", metavar="P", help="With --search: only what is older, as in 30d or 1y.")
@click.option(
    "--states", metavar="S,S", help="With --search: in these states, or all. [default: stopped]"
)
@click.option("--noop", is_flag=True, help="Only show what would be deleted.")
@click.option("--verbose", is_flag=True, help="Show how far it is.")
@click.option("--batch-size", type=click.IntRange(1), default=BATCH_SIZE, show_default=True,
              metavar="N", help="Tasks that are kept and deleted at a time.")  # fmt: skip
@click.option("--no-backup", is_flag=True, help="Do not keep what is deleted.")
@click.option("--show-config", is_flag=True, help="Show what the configuration says, and end.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_setup
def command(
    setup: Setup,
    search: str | None,
    after: str | None,
    states: str | None,
    noop: bool,
    verbose: bool,
    batch_size: int,
    no_backup: bool,
    show_config: bool,
    yes: bool,
) -> int:
    """Delete old tasks, with their sub-tasks, steps, locks and logs.

    By default those whose actions, or the section cleanup of the configuration, say when. What is
    deleted is kept in files, which `taskctl import` brings back.
    """
    if show_config:
        _show_config(setup)
        return 0
    if search is None:
        for name, value in (("--after", after), ("--states", states)):
            if value is not None:
                raise click.UsageError(f"{name} is for --search: without it, the rules have theirs")
    elif not search.strip():
        raise InvalidInput(
            "a search without a condition means all tasks; say so: --search 'id > 0'"
        )
    asked: Record = {
        "search": search,
        "after": after,
        "states": None if states is None else [word.strip() for word in states.split(",")],
        "batch_size": batch_size,
        "backup": False if no_backup else None,
    }
    if search is not None and not (noop or yes) and is_asked_by_a_person():
        _confirm(setup, asked)
    report = _run(setup, {**asked, "noop": noop}, verbose=verbose)
    _print(setup, report)
    if "running" in (asked["states"] or ()):
        click.echo("what runs is never deleted: taskctl cancel ends it", err=True)
    return 0


def _confirm(setup: Setup, asked: Record) -> None:
    (part,) = setup.channel.ask("cleanup.run", **asked, noop=True)["parts"]
    for line in _sample(part):
        click.echo(line, err=True)
    count = _counted(part["matched"], "task")
    if part["matched"] and not click.confirm(f"delete {count}, for good?", err=True):
        click.echo("nothing was done", err=True)
        raise click.exceptions.Exit(1)


def _run(setup: Setup, asked: Record, *, verbose: bool) -> Any:
    """Where this is interrupted, the daemon stops after the batch at hand."""
    number = setup.channel.submit("cleanup.run", **asked)
    try:
        if verbose:
            _follow(setup, number)
        return setup.channel.collect(number)
    except KeyboardInterrupt:
        if not asked["noop"]:
            told = "what is left stays; the same again goes on, once the batch at hand is done"
            click.echo(f"interrupted: {told}", err=True)
        raise


def _follow(setup: Setup, number: int) -> None:
    """Show how far it is, until it is over: in lines, where no bar can be drawn."""
    from taskctl.view.counting import counting
    from taskctl.view.terminal import draws

    polls = _polls(setup, number)
    first = next((each for each in polls if each["deleted"]), None)  # then all is counted
    if first is None:
        return
    total, done, lines = first["matched"], 0, not draws(sys.stderr)
    with counting(total, setup.color) as (passed, tell):
        for each in itertools.chain([first], polls):
            if lines and 10 * each["deleted"] // total > 10 * done // total:
                tell(f"{each['deleted']} of {total} tasks are deleted")
            passed(max(0, each["deleted"] - done))
            done = max(done, each["deleted"])


def _polls(setup: Setup, number: int) -> Iterator[Record]:
    """What the daemon says until it has answered that request."""
    while True:
        poll = setup.channel.submit("cleanup.progress")
        if setup.channel.first([number, poll]) == number:
            return
        yield setup.channel.collect(poll)
        time.sleep(POLL)


def _print(setup: Setup, report: Record) -> None:
    parts = report["parts"]
    if setup.output == "table":
        _tell(report)
    elif setup.output in ("json", "yaml"):
        shown = [{field: part[field] for field in FIELDS} for part in parts]
        print_one(setup.output, {"noop": report["noop"], "parts": shown})
    else:
        page = as_page([{field: part[field] for field in FIELDS} for part in parts])
        print_list(setup.output, page, name="name", fields=FIELDS, headers=setup.headers)


def _tell(report: Record) -> None:
    if not report["parts"]:
        click.echo("nothing says what to delete: taskctl cleanup --show-config", err=True)
    for part in report["parts"]:
        count = part["matched"] if report["noop"] else part["deleted"]
        verb = "would delete" if report["noop"] else "deleted"
        click.echo(inert(f"{part['name']}: {verb} {_counted(count, 'task')}: {part['filter']}"))
        if report["noop"]:
            for line in _sample(part):
                click.echo(f"  {line}")
        elif left := part["matched"] - part["deleted"]:
            click.echo(f"  {_counted(left, 'task')} changed meanwhile, or could not be ended")
    if count := report["orphans"]:
        verb = "would remove" if report["noop"] else "removed"
        click.echo(f"{verb} the logs of {_counted(count, 'task')} that there are not any more")
    if report["backup"]:
        click.echo(f"they are kept: taskctl import {report['backup']}")


def _sample(part: Record) -> Sequence[str]:
    """Some of its tasks, each in a line, and how many more there are."""
    named = [inert(f"task {task_id} ({name})") for task_id, name in part["sample"]]
    more = part["matched"] - len(named)
    return [*named, f"… and {more} more"] if more else named


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _show_config(setup: Setup) -> None:
    config = setup.channel.ask("cleanup.config")
    if setup.output in ("json", "yaml"):
        print_one(setup.output, config)
        return
    if setup.output != "table":
        print_list(setup.output, as_page(config["parts"]), name="name", headers=setup.headers)
        return
    from taskctl.view.cleanup_panel import show_config

    show_config(setup.color, config, headers=setup.headers)
