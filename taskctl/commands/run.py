"""`taskctl run`."""

import json
import re
import sys
from typing import Any

import click

from taskctl import suggesting
from taskctl.options import Command, Setup, pass_setup, read_file
from taskctl.starting import start, start_options
from taskctl.view.forms import Record
from taskd.model.errors import InvalidInput

PAIR = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)(:?=)(.*)", re.DOTALL)


@click.command(cls=Command)
@click.argument("action", metavar="ACTION|FILE.yaml", shell_complete=suggesting.labels_and_files)
@click.argument("pairs", metavar="[KEY=VALUE]...", nargs=-1, shell_complete=suggesting.inputs)
@click.option(
    "--input",
    "wholes",
    metavar="JSON|@FILE|-",
    multiple=True,
    help="The inputs as one JSON object.",
)
@start_options
@pass_setup
def command(
    setup: Setup, /, action: str, pairs: tuple[str, ...], wholes: tuple[str, ...], **options: Any
) -> int:
    """Start a task of a known action, or of a YAML file.

    The definition in a file is kept with its task: editing the file later changes only new tasks.

    KEY=VALUE is read by the type of the input, KEY:=JSON as JSON; KEY=@FILE takes a secret from a
    file.
    """
    if action.endswith(".py"):
        raise InvalidInput(
            f"cannot run {action}: a Python action is not run from its file, but put into the "
            "folder of actions",
            hint="~/.config/taskd/actions unless set otherwise; taskctl actions lists its label",
        )
    if len(wholes) > 1:
        raise click.UsageError("--input is given twice")
    words, input = _read_pairs(pairs)
    for whole in wholes:
        input = _read_object(whole) | input
    if is_file(action):
        text = read_file(action)
        words = _with_secrets(words, lambda: _secrets_of_file(text))
        request = {"method": "tasks.start_definition", "text": text, "file": action}
    else:
        words = _with_secrets(words, lambda: _secrets_of_action(setup, action))
        request = {"method": "tasks.start", "action": action}
    return start(setup, {**request, "input": input, "words": words}, options)


def is_file(action: str) -> bool:
    return "/" in action or action.endswith((".yaml", ".yml"))


def _read_pairs(pairs: tuple[str, ...]) -> tuple[dict[str, str], Record]:
    """Words, read by the daemon, and inputs that are JSON already."""
    words: dict[str, str] = {}
    input: Record = {}
    for pair in pairs:
        found = PAIR.fullmatch(pair)
        if not found:
            raise InvalidInput(f"cannot read {pair!r}: expected KEY=VALUE or KEY:=JSON")
        key, sign, value = found.groups()
        if key in words or key in input:
            raise InvalidInput(f"{key} is given twice")
        if sign == "=":
            words[key] = value
        else:
            input[key] = _read_json(value, f"the value of {key}")
    return words, input


def _read_object(whole: str) -> Record:
    text = sys.stdin.read() if whole == "-" else whole
    text = read_file(whole[1:]) if whole.startswith("@") else text
    value = _read_json(text, "--input")
    if not isinstance(value, dict):
        raise InvalidInput('cannot read --input: expected a JSON object, as in {"site": "blog"}')
    return value


def _read_json(text: str, what: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"cannot read {what} as JSON: {error}") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _with_secrets(words: dict[str, str], find_secrets: Any) -> dict[str, str]:
    """`words`, where `@FILE` for a secret is replaced by what the file holds."""
    if not any(value.startswith("@") for value in words.values()):
        return words
    secrets = find_secrets()
    return {
        key: read_file(value[1:]).rstrip("\n") if value[:1] == "@" and key in secrets else value
        for key, value in words.items()
    }


def _secrets_of_action(setup: Setup, label: str) -> set[str]:
    fields = setup.channel.ask("actions.get", label=label)["fields"]
    return {field["name"] for field in fields if field["schema"].get("format") == "secret"}


def _secrets_of_file(text: str) -> set[str]:
    import yaml  # slow to load, and only needed here

    try:
        fields = yaml.safe_load(text)["input"]
        return {name for name, kind in fields.items() if "secret" in (kind, _type(kind))}
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        return set()  # the daemon says what is wrong with it


def _type(kind: object) -> object:
    return kind.get("type") if isinstance(kind, dict) else None
