"""The `taskctl` command: finds the command to run; turns an error into a message and exit code."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from taskctl.complaint import complain
from taskctl.options import GLOBAL_OPTIONS, Setup
from taskd.model.errors import TaskdError

COMMANDS = Path(__file__).parent / "commands"
INTERRUPTED = 130


class Commands(click.Group):
    """The files of a folder as commands, each loaded when it is asked for."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return sorted(file.stem.rstrip("_") for file in COMMANDS.glob("[!_]*.py"))

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
        return f"no command {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")


def _is_command(name: str) -> bool:
    return name.isidentifier() and (COMMANDS / f"{name}.py").is_file()


@click.group(
    cls=Commands,
    params=[*GLOBAL_OPTIONS],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def taskctl() -> None:
    """Run, watch, repair and audit durable tasks."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Its exit code, as listed in the manual."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    setup = Setup()
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    try:
        with taskctl.make_context("taskctl", words.copy(), obj=setup) as context:
            status: int | None = taskctl.invoke(context)
        sys.stdout.flush()
        return status or 0
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        complain(error, json=setup.json or asks_for_json(words), debug=setup.debug)
        return error.exit_code
    except TaskdError as error:
        complain(error, json=setup.json, debug=setup.debug)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    finally:
        setup.close()


def asks_for_json(words: Sequence[str]) -> bool:
    """Whether errors are to be JSON although the words could not be read to their end."""
    own = list(words[: words.index("--")] if "--" in words else words)
    pairs = zip(own, [*own[1:], ""], strict=True)
    return any(
        word in ("-ojson", "-ojsonl", "--output=json", "--output=jsonl")
        or (word in ("-o", "--output") and after in ("json", "jsonl"))
        for word, after in pairs
    )
