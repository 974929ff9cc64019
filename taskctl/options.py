"""Options and arguments that several commands share, and what the global ones say.

What they stand on is loaded when it is used: `version` and `--help` need none of it.
"""

import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from taskctl import suggesting
from taskctl.suggesting import Suggest

OUTPUTS = ("table", "json", "jsonl", "yaml", "csv", "name")
COLORS = ("auto", "always", "never")

Function = TypeVar("Function", bound=Callable[..., Any])


class Setup:
    """What the global options say, and the connection to the daemon, made when it is used."""

    def __init__(self) -> None:
        self.output = "table"
        self.headers = True
        self.color = "auto"
        self.socket: str | None = None
        self.debug = False
        self.patience: float | None = None  # seconds that the daemon may take to answer at all
        self._channel: Any = None

    @property
    def json(self) -> bool:
        return self.output in ("json", "jsonl")

    @property
    def channel(self) -> Any:
        """The connection, a `taskd.channel.Channel`."""
        if self._channel is None:
            from taskd.channel import PATIENCE, Channel

            self._channel = Channel(self.socket, patience=self.patience or PATIENCE)
            if not self.json:  # whose readers expect one object on stderr, if anything
                self.warn()
        return self._channel

    def warn(self) -> None:
        """Say on stderr what keeps the daemon from starting anything, if there is such a thing."""
        if note := self.channel.daemon.get("note"):
            click.echo(f"taskctl: {note}", err=True)

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()


pass_setup = click.make_pass_decorator(Setup)


def _remember(context: click.Context, option: click.Parameter, value: object) -> None:
    if value is not None:
        setattr(context.ensure_object(Setup), str(option.name), value)


def _global(*names: str, **attributes: Any) -> click.Option:
    # Eager, so that `-o json` is known when another option turns out to be wrong.
    return click.Option(
        names, expose_value=False, is_eager=True, default=None, callback=_remember, **attributes
    )


GLOBAL_OPTIONS = (
    _global("-o", "--output", type=click.Choice(OUTPUTS), help="Form of what is printed."),
    _global("--headers/--no-headers", help="Column headings of tables and CSV."),
    _global("--color", type=click.Choice(COLORS), help="Colours; auto: in a terminal."),
    _global("--socket", metavar="PATH", help="Socket of the daemon."),
    _global("--debug", is_flag=True, help="Show where an error came from."),
)


class Command(click.Command):
    """A command that takes the global options after its name, too."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params.extend(GLOBAL_OPTIONS)

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        own = [option for option in self.get_params(context) if option not in GLOBAL_OPTIONS]
        for title, options in (("Options", own), ("Global options", GLOBAL_OPTIONS)):
            rows = [row for option in options if (row := option.get_help_record(context))]
            with formatter.section(title):
                formatter.write_dl(rows)


def task_id(text: str) -> int | str:
    """`42`, or `@last`: the newest task that the caller started."""
    if text == "@last":
        return text
    if not (text.isascii() and text.isdecimal()):
        raise click.BadParameter(f"{text!r} is no task id: expected a number or @last")
    return int(text)


def task_argument(function: Function) -> Function:
    """ID: one task, as `task_id`."""
    argument = click.argument(
        "task_id", metavar="ID", callback=_read_id, shell_complete=suggesting.ids()
    )
    return argument(function)


def tasks_argument(suggest: Suggest) -> Callable[[Function], Function]:
    """ID…: tasks, as `task_ids`, each once; `-` stands for ids read from stdin. None if no ID.

    `suggest`: those that the command can do something with.
    """
    return click.argument(
        "task_ids", metavar="ID...", nargs=-1, callback=_read_ids, shell_complete=suggest
    )


def _read_logic(_context: click.Context, _option: click.Parameter, word: str) -> int:
    if not (word.isascii() and word.isdecimal()):
        raise click.BadParameter(f"{word!r} is no id of a recurring logic: expected a number")
    return int(word)


def _read_logics(
    context: click.Context, option: click.Parameter, words: tuple[str, ...]
) -> list[int] | None:
    if not words:
        return None
    return list(dict.fromkeys(_read_logic(context, option, word) for word in with_stdin(words)))


def logic_argument(function: Function) -> Function:
    """ID: one recurring logic, as `logic_id`."""
    argument = click.argument(
        "logic_id", metavar="ID", callback=_read_logic, shell_complete=suggesting.logics
    )
    return argument(function)


def logics_argument(function: Function) -> Function:
    """ID…: recurring logics, as `logic_ids`, each once; `-` stands for ids read from stdin. None if
    no ID."""
    argument = click.argument(
        "logic_ids",
        metavar="[ID]...",
        nargs=-1,
        callback=_read_logics,
        shell_complete=suggesting.logics,
    )
    return argument(function)


class Selection:
    """On which tasks to act: those named, or those that a search means."""

    def __init__(
        self, task_ids: list[int | str] | None, search: str | None, noop: bool, yes: bool
    ) -> None:
        self.task_ids = task_ids
        self.search = search
        self.noop = noop
        self.yes = yes


def searching(function: Function, ids: str = "task_ids") -> Any:
    """--search, --noop and --yes; with the argument `ids` they are the `selection`."""

    @click.option(
        "--search",
        metavar="QUERY",
        help="All tasks that it means; asks first.",
        shell_complete=suggesting.query,
    )
    @click.option("--noop", is_flag=True, help="Only show on which tasks.")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @functools.wraps(function)
    def command(
        setup: Setup,
        /,
        search: str | None,
        noop: bool,
        yes: bool,
        **rest: Any,
    ) -> Any:
        named = rest.pop(ids, None)
        return function(setup, selection=Selection(named, search, noop, yes), **rest)

    return command


searching_logics = functools.partial(searching, ids="logic_ids")


def _read_id(_context: click.Context, _option: click.Parameter, word: str) -> int | str:
    return task_id(word)


def _read_ids(
    _context: click.Context, _option: click.Parameter, words: tuple[str, ...]
) -> list[int | str] | None:
    if not words:
        return None
    return list(dict.fromkeys(map(task_id, with_stdin(words))))


def ids(_context: click.Context, _option: click.Parameter, words: tuple[str, ...]) -> list[Any]:
    """Task ids with commas between them, each once."""
    found = [word.strip() for text in words for word in text.split(",")]
    return list(dict.fromkeys(map(task_id, found)))


def with_stdin(words: Iterable[str]) -> list[str]:
    """`words`, with those of stdin in the place of `-`."""
    return [
        each for word in words for each in (sys.stdin.read().split() if word == "-" else [word])
    ]


def read_file(path: str) -> str:
    """The text of a file that was named on the command line. Raises InvalidInput."""
    from taskd.model.errors import InvalidInput

    if not path:
        raise InvalidInput("cannot read '@': expected the name of a file after it")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"cannot read {path}: it is no UTF-8 text ({error.reason})") from None


def seconds(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """A length of time, as in `90s` or `10m`."""
    if text is None:
        return None
    from taskd.model.interval import parse_interval

    return parse_interval(text).total_seconds()
