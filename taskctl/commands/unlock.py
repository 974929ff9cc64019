"""`taskctl unlock`."""

import shlex
import sys
from collections.abc import Sequence

import click

from taskctl.acting import Refusal, ask_each, report
from taskctl.options import Command, Setup, pass_setup, tasks_argument
from taskctl.view.forms import Record
from taskctl.view.inert import inert

HARM = {
    False: "What it has begun stays as it is, and other tasks may go on with it: that may leave "
    "things in an\ninconsistent state. If the cause can be fixed, resume the task instead.",
    True: "It may still be at work: what runs of it is killed. What it has begun stays as it is, "
    "and other tasks\nmay go on with it: that may leave things in an inconsistent state.",
}


@click.command(cls=Command)
@tasks_argument
@click.option("--force", is_flag=True, help="Also tasks that are not paused: what runs is killed.")
@click.option("--reason", metavar="T", default="", help="Why, for the task's history.")
@click.option("--noop", is_flag=True, help="Only show what would be unlocked.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_setup
def command(
    setup: Setup,
    task_ids: list[int | str] | None,
    force: bool,
    reason: str,
    noop: bool,
    yes: bool,
) -> int:
    """Stop paused tasks that cannot be resumed, and so free what they have locked.

    They end with error; each may be resumed later, if what it had locked is free then. Needs the
    setting allow_dangerous_actions.
    """
    if task_ids is None:
        raise click.UsageError("unlock needs task ids")
    how = {"force": force, "reason": reason}
    found, refused = _ask(setup, task_ids, {**how, "noop": True})
    if noop:
        return report(setup, found, refused, lambda task: f"would unlock {_shown(task)}")
    if not (yes or not found or _confirms(found, force, reason)):
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
    for task in tasks:
        click.echo(f"unlock {_shown(task)}", err=True)
    click.echo(HARM[force], err=True)
    return click.confirm(
        "I understand that this may cause harm, and have working backups. Go on?", err=True
    )


def _shown(task: Record) -> str:
    locks = ", ".join(_lock(lock) for lock in task["locks"]) or "no lock"
    return inert(f"task {task['id']} ({task['name']}), {task['state']}, which holds {locks}")


def _lock(lock: Record) -> str:
    return f"{lock['resource']}/{lock['operation']}" if lock["operation"] else lock["resource"]


def _told(task: Record) -> str:
    number = task["id"]
    return f"task {number} unlocked; when its cause is fixed: taskctl resume {number}"
