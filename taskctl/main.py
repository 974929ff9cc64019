"""The `taskctl` command: finds the command to run; turns an error into a message and exit code."""

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

import click

from taskctl import VERSION
from taskctl.group import Commands
from taskctl.options import GLOBAL_OPTIONS, Setup
from taskd.model.errors import TaskdError

INTERRUPTED = 130


@click.group(
    cls=Commands,
    package="taskctl.commands",
    params=[*GLOBAL_OPTIONS],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(VERSION, message="taskctl %(version)s")
def taskctl() -> None:
    """Run, watch, repair and audit durable tasks."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Its exit code, as listed in the manual."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    setup = Setup()
    _open_streams()
    try:
        _check_text(words)
        status = _invoke(words, setup)
        sys.stdout.flush()
        return status
    except click.ClickException as error:
        _complain(error, setup.json or asks_for_json(words), setup.debug)
        return error.exit_code
    except TaskdError as error:
        _complain(error, setup.json, setup.debug)
        return error.exit_code
    except BrokenPipeError:
        _forget_output()  # whoever read it has seen enough
        return 0
    except OSError as error:
        _forget_output()
        _complain(TaskdError(f"cannot go on: {error}"), setup.json, setup.debug)
        return TaskdError.exit_code
    except click.Abort:
        click.echo(err=True)  # after the question that was asked
        return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        setup.close()


def _open_streams() -> None:
    """Any of them may be closed, and none of them is to fail at what is no UTF-8."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), "r+"))
        if reconfigure := getattr(getattr(sys, name), "reconfigure", None):
            reconfigure(errors="backslashreplace")


def _check_text(words: Sequence[str]) -> None:
    """No request can hold a word that is not UTF-8. Raises UsageError."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            from taskd.model.inert import inert  # only needed here

            shown = word.encode(errors="surrogateescape").decode(errors="backslashreplace")
            raise click.UsageError(f"the word {inert(shown)} is not UTF-8") from None


def _invoke(words: Sequence[str], setup: Setup) -> int:
    if not words:
        with redirect_stdout(sys.stderr):
            _invoke(["--help"], setup)
        return click.UsageError.exit_code
    try:
        with taskctl.make_context("taskctl", list(words), obj=setup) as context:
            status: int | None = taskctl.invoke(context)
            return status or 0
    except click.exceptions.Exit as ended:  # as `--help` does
        return ended.exit_code


def _forget_output() -> None:
    """What is still to be written would fail again when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(error: click.ClickException | TaskdError, json: bool, debug: bool) -> None:
    from taskctl.complaint import complain  # most commands start without it

    complain(error, json=json, debug=debug)


def asks_for_json(words: Sequence[str]) -> bool:
    """Whether errors are to be JSON although the words could not be read to their end."""
    own = list(words[: words.index("--")] if "--" in words else words)
    pairs = zip(own, [*own, ""][1:], strict=True)
    return any(
        word in ("-ojson", "-ojsonl", "--output=json", "--output=jsonl")
        or (word in ("-o", "--output") and after in ("json", "jsonl"))
        for word, after in pairs
    )
