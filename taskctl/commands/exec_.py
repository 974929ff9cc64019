"""`taskctl exec`."""

import os
from typing import Any

import click

from taskctl import suggesting
from taskctl.options import Command, Setup, pass_setup, seconds
from taskctl.starting import start, start_options

INHERITED = ("PATH", "HOME", "LANG", "TZ")


@click.command(cls=Command, context_settings={"allow_interspersed_args": False})
@click.argument(
    "words", metavar="COMMAND...", nargs=-1, required=True, shell_complete=suggesting.files
)
@start_options
@click.option("--rescue", type=click.Choice(["pause", "skip", "fail"]), help="When it fails.")
@click.option("--retry", type=click.IntRange(0), metavar="N", help="Further attempts.")
@click.option("--time-limit", metavar="D", callback=seconds, help="End it after so long.")
@click.option(
    "--cwd",
    metavar="D",
    default=".",
    help="Where it runs; here unless said.",
    shell_complete=suggesting.files,
)
@click.option("--env", metavar="K=V", multiple=True, help="Set a variable for it.")
@pass_setup
def command(setup: Setup, /, words: tuple[str, ...], **options: Any) -> int:
    """Run a command as a task.

    Several words are a command and its arguments, one word is a line for /bin/sh. Put `--` before
    them. It gets PATH, HOME, LANG and TZ as they are here, and --env.
    """
    if not words[0].strip():
        raise click.UsageError("the command is empty")
    request = {
        "method": "tasks.exec",
        "command": list(words) if len(words) > 1 else words[0],
        "cwd": os.path.abspath(options["cwd"]),
        "environment": _environment(options["env"]),
    }
    how = ("rescue", "retry", "time_limit")
    request |= {name: options[name] for name in how if options[name] is not None}
    return start(setup, request, options)


def _environment(pairs: tuple[str, ...]) -> dict[str, str]:
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise click.UsageError(f"cannot read --env {pair!r}: expected NAME=VALUE")
        environment[name] = value
    return environment
