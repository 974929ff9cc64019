"""`taskctl unlock`."""

import shlex
import sys
from collections.abc import Sequence

import click

from taskctl import suggesting
from taskctl.acting import SAMPLE, Refusal, ask_each, report, select
from taskctl.options import Command, Selection, Setup, pass_setup, searching, tasks_argument
from taskctl.view.forms import Record
from taskd.model.inert import inert
from taskd.model.lock import Lock
from taskd.model.task import HIDDEN

HARM = {
    False: "What it has begun stays as it is, and other tasks may go on with it: that may leave "
    "things in an\ninconsistent state. If the cause can be fixed, resume the task instead.",
    True: "It may still be at work: what runs of it is killed. What it has begun stays as it is, "
    "and other tasks\nmay go on with it: that may leave things in an inconsistent state.",
}


@click.command(cls=Command)
@tasks_argument(suggesting.ids("state = paused", forced="state != stopped"))
@click.option("--force", is_flag=True, help="Also tasks that are not paused: what runs is killed.")
@click.option("--reason", metavar="T", default="", help="Why, for the task's history.")
@pass_setup
@searching
def command(setup: Setup, /, selection: Selection, force: bool, reason: str) -> int:
    """Stop tasks that cannot be resumed, and free their locks.

    They end with error; each may be resumed later, if what it had locked is free then. Needs the
    setting allow_dangerous_actions.
    """
    task_ids, guard = select(setup, "unlock", selection)
    how = {"force": force, "reason": reason, **guard}
    found, refused = _ask(setup, task_ids, {**how, "noop": True})
    if selection.noop:
        return report(setup, found, refused, lambda task: f"would unlock {_shown(task)}")
    if not (selection.yes or not found or _confirms(found, force, reason)):
        click.echo("nothing was done", err=True)
        return 1
    done, more = _ask(setup, [task["id"] for task in found], how)
    return report(setup, done, refused + more, _told)


def _ask(
    setup: Setup, task_ids: Sequence[int | str], how: Record
) -> tuple[list[Record], list[Refusal]]:
    return ask_each(setup, "tasks.unlock", dict.fromkeys(task_ids, how))


def _confirms(tasks: Sequence[Record], force: bool, reason: str) -> bool:
    if not sys.stdin.isatty():
        options = ["--force"] * force + (["--reason", reason] if reason else [])
        numbers = [str(task["id"]) for task in tasks]
        line = shlex.join(["taskctl", "unlock", *options, "--yes", *numbers])
        raise click.UsageError(f"this asks first, and there is no terminal: {line}")
    for task in tasks[:SAMPLE]:
        click.echo(f"unlock {_shown(task)}", err=True)
    if len(tasks) > SAMPLE:
        click.echo(f"… and {len(tasks) - SAMPLE} more", err=True)
    click.echo(HARM[force], err=True)
    return click.confirm(
        "I understand that this may cause harm, and have working backups. Go on?", err=True
    )


def _shown(task: Record) -> str:
    locks = ", ".join(str(Lock(lock["resource"], lock["operation"])) for lock in task["locks"])
    told = f"which holds {locks}" if locks else "which holds no lock"
    return inert(f"task {task['id']} ({task['name']}), {task['state']}, {told}")


def _told(task: Record) -> str:
    number, input = task["id"], task.get("input") or {}
    secrets = [f" --secret {name}=@FILE" for name, value in input.items() if value == HIDDEN]
    again = inert(f"taskctl resume {number}{''.join(secrets)}")
    return f"task {number} unlocked; when its cause is fixed: {again}"
