"""The `taskctl` command: finds the command to run; turns an error into a message and exit code."""

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib import import_module

import click

from taskctl import VERSION
from taskctl.options import GLOBAL_OPTIONS, Setup
from taskd.model.errors import TaskdError

COMMANDS = os.path.join(os.path.dirname(__file__), "commands")
OF_TASKD = ("start", "stop", "restart", "reload", "status", "check")
INTERRUPTED = 130


class Commands(click.Group):
    """The files of a folder as commands, each loaded when it is asked for."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return sorted(
            file.removesuffix(".py").rstrip("_")
            for file in os.listdir(COMMANDS)
            if file.endswith(".py") and not file.startswith("_")
        )

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        file = next((f for f in (name, f"{name}_") if _is_command(f)), None)
        if file is None:
            return None
        command: click.Command = import_module(f"taskctl.commands.{file}").command
        command.name = name
        return command

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not words[0].startswith("-") and self.get_command(context, words[0]) is None:
            raise click.UsageError(self._unknown(context, words[0]), context)
        return super().resolve_command(context, words)

    def _unknown(self, context: click.Context, name: str) -> str:
        from difflib import get_close_matches  # slow to load, and only needed here

        close = get_close_matches(name, self.list_commands(context), n=1)
        if name in OF_TASKD:
            close = [f"taskd {name}"]
        return f"no command {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")


def _is_command(name: str) -> bool:
    return name.isidentifier() and os.path.isfile(f"{COMMANDS}/{name}.py")


@click.group(
    cls=Commands,
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
            from taskctl.view.inert import inert  # only needed here

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
