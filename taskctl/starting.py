"""What `run` and `exec` share: the options of a start, and what follows it."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from taskctl import suggesting
from taskctl.coming import coming
from taskctl.options import Setup, ids, seconds
from taskctl.view import times
from taskctl.view.forms import Record, print_one
from taskctl.view.log import LogPrinter
from taskctl.waiting import exit_code, wait_for, whole
from taskd.model.inert import inert

Function = TypeVar("Function", bound=Callable[..., Any])

REPEAT = (
    "cron", "hourly", "daily", "weekly", "monthly", "tz", "until", "limit", "purpose", "missed",
    "overlap",
)  # fmt: skip
NEXT = 5  # times that --noop tells

START_OPTIONS = (
    click.option("--name", metavar="TEXT", help="What people call the task."),
    click.option(
        "--lock",
        "locks",
        metavar="R[/OP]",
        multiple=True,
        help="Hold this, as in site:blog/backup.",
        shell_complete=suggesting.resources,
    ),
    click.option(
        "--link",
        "links",
        metavar="R",
        multiple=True,
        help="Refer to this resource.",
        shell_complete=suggesting.resources,
    ),
    click.option(
        "--on-conflict",
        type=click.Choice(["pause", "wait", "skip"]),
        help="When another task holds a lock of it; else as its action says, or pause.",
    ),
    click.option("--at", metavar="T", help="Not before, as in 02:30, tomorrow or 3h."),
    click.option("--before", metavar="T", help="An error if it has not begun by then."),
    click.option(
        "--after",
        metavar="ID[,ID]",
        multiple=True,
        callback=ids,
        help="When these have stopped, unless one failed.",
        shell_complete=suggesting.ids(),
    ),
    click.option("--key", help="Idempotency key: the same key gives the same task back."),
    click.option("--priority", type=int, help="Higher first; 0 unless said."),
)
REPEAT_OPTIONS = (
    click.option("--cron", metavar="LINE", help="Again and again, as in '30 2 * * mon-fri'."),
    click.option("--hourly", metavar="M", help="At these minutes, as in 0,30."),
    click.option("--daily", metavar="HH:MM", help="Each day."),
    click.option("--weekly", metavar="DAYS@HH:MM", help="As in mon,thu@02:30."),
    click.option("--monthly", metavar="DAYS@HH:MM", help="As in 1,15@02:30."),
    click.option(
        "--tz",
        metavar="ZONE",
        help="Of these times; else the daemon's.",
        shell_complete=suggesting.zones,
    ),
    click.option("--until", metavar="T", help="No run after that."),
    click.option("--limit", type=int, metavar="N", help="So many runs."),
    click.option("--purpose", metavar="P", help="No two at work have the same."),
    click.option(
        "--missed",
        type=click.Choice(["once", "skip", "all"]),
        help="What came while no daemon ran; once unless said.",
    ),
    click.option(
        "--overlap",
        type=click.Choice(["skip", "wait", "parallel", "cancel-previous"]),
        help="While the run before has not stopped; skip unless said.",
    ),
    click.option("--noop", is_flag=True, help="Only say when it would run."),
)
WAIT_OPTIONS = (
    click.option("--wait", is_flag=True, help="Wait until it is stopped or paused."),
    click.option("--follow", is_flag=True, help="Wait, and print what its steps print."),
    click.option("--timeout", metavar="D", callback=seconds, help="Wait no longer; it goes on."),
    click.option("-q", "--quiet", is_flag=True, help="Print the id only."),
)


def start_options(function: Function) -> Function:
    """`--name`, `--lock`, …, `--cron`, …, and `--wait`, `--follow`, …, in that order."""
    for option in reversed(START_OPTIONS + REPEAT_OPTIONS + WAIT_OPTIONS):
        function = option(function)
    return function


def start(setup: Setup, request: Record, options: Record) -> int:
    """Start a task by `request`; say so and, by `--wait`, how it ended. The exit code."""
    if options["timeout"] is not None and not (options["wait"] or options["follow"]):
        raise click.UsageError("--timeout is for the waiting: it needs --wait or --follow")
    if repeat := {name: options[name] for name in REPEAT if options[name] is not None}:
        return _repeat(setup, request, repeat, options)
    if options["noop"]:
        raise click.UsageError("--noop is for --cron and the like")
    return _started(setup, setup.channel.ask(**request, **_given(options)), options)


def _repeat(setup: Setup, request: Record, repeat: Record, options: Record) -> int:
    """Start a recurring logic instead, and say when it runs."""
    if options["wait"] or options["follow"]:
        raise click.UsageError("a recurring logic has no end to wait for: taskctl recurring show")
    method = request.pop("method").replace("tasks.", "recurring.")
    noop = {"noop": True} if options["noop"] else {}
    logic = setup.channel.ask(method, **request, repeat=repeat, **noop, **_given(options))
    if options["quiet"] and not noop:
        print(logic["id"], flush=True)
    elif setup.output != "table":
        print_one(setup.output, logic, headers=setup.headers)
    else:
        _tell_times(setup, logic, noop=options["noop"])
    return 0


def _tell_times(setup: Setup, logic: Record, *, noop: bool) -> None:
    line, zone = logic["cron_line"], logic["timezone"]
    what = f"would run {inert(logic['name'])}" if noop else f"recurring logic {logic['id']}"
    end = "" if noop else f"; taskctl recurring show {logic['id']}"
    print(inert(f"{what}: {line} ({zone}){end}"))
    for each in coming(setup, logic, NEXT if noop else 1):
        print(inert(f"next: {times.in_zone(each['at'], zone)}{times.aside(each['note'])}"))


def _given(options: Record) -> Record:
    """Those of START_OPTIONS that were given, as the daemon takes them."""
    names = ("name", "locks", "links", "on_conflict", "key", "priority", "at", "before", "after")
    return {name: options[name] for name in names if options[name] not in (None, (), [])}


def _started(setup: Setup, task: Record, options: Record) -> int:
    quiet = options["quiet"]
    if quiet:
        print(task["id"], flush=True)
    if options["wait"] or options["follow"]:
        log = _log(setup, task) if options["follow"] else None
        tasks = wait_for(setup, [task["id"]], timeout=options["timeout"], quiet=quiet, log=log)
        if setup.output != "table" and not quiet:
            print_one(setup.output, whole(setup, tasks)[0], headers=setup.headers)
        return exit_code(tasks)
    if setup.output != "table" and not quiet:
        print_one(setup.output, task, headers=setup.headers)
    elif not quiet:
        told = _begins(task, options["after"])
        print(f"task {task['id']} {told}: {inert(task['name'])}; taskctl wait {task['id']}")
    return 0


def _begins(task: Record, after: list[int | str]) -> str:
    if task["state"] == "stopped":  # what it was to wait for had failed
        return f"ended: {task['result']}"
    if task["state"] != "scheduled":
        return "started"
    told = ["is scheduled"]
    if task["start_at"] != task["created_at"]:
        told.append(f"for {times.exactly(task['start_at'])}")
    if after:
        told.append(f"after {', '.join(f'task {each}' for each in after)}")
    return " ".join(told)


def _log(setup: Setup, task: Record) -> LogPrinter:
    file = sys.stdout if setup.output == "table" else sys.stderr
    return LogPrinter(color=setup.color, steps=task["type"] != "shell", file=file)
