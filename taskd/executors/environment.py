"""What a command is given: its environment, and the file that `$TASKD_INPUT` names.

Inputs and outputs are data: they never become part of a command line, and none takes the place of
a variable that means something to a shell or the loader, since those are not in lower case.
"""

import json
import os
import re
from pathlib import Path

from taskd.executors.base import Call
from taskd.model.definition import Command
from taskd.model.step import JSON

MAX_VALUE = 100 * 1024  # the kernel takes 128 KiB in one variable
MAX_VALUES = 1024 * 1024  # and 2 MiB in all, arguments included
_FROM_DAEMON = ("PATH", "HOME", "LANG", "TZ")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def input_file(call: Call) -> bytes:
    """Secrets are not in it: they reach the command as variables, and no further file."""
    shown = {name: value for name, value in call.input.items() if str(value) not in call.secrets}
    return json.dumps({"input": shown, "outputs": call.outputs}).encode()


def of_daemon() -> dict[str, str]:
    """What a command has of the daemon's environment."""
    return {name: os.environ[name] for name in _FROM_DAEMON if name in os.environ}


def environment_of(call: Call, command: Command, folder: Path) -> dict[bytes, bytes]:
    """Values that are too long, or hold a NUL, are left to `$TASKD_INPUT`.

    Raises ValueError where the command names the variable of one: it would find nothing there.
    """
    own = {
        "TASKD_INPUT": str(folder / "input.json"),
        "TASKD_OUTPUT": str(folder / "output"),
        "TASKD_PROGRESS": str(folder / "progress"),
        "TASKD_TASK_ID": str(call.task_id),
        "TASKD_STEP": call.step,
        "TASKD_ATTEMPT": str(call.attempt),
    }
    given = of_daemon() if command.environment is None else command.environment
    fixed = {os.fsencode(name): os.fsencode(value) for name, value in (given | own).items()}
    values = call.input | call.outputs
    variables = _values(values)
    for name in filter(_NAME.fullmatch, values):
        if name.encode() not in variables and _names(command.line, name):
            raise ValueError(f"${name} holds a NUL or is too long: read it from $TASKD_INPUT")
    return variables | fixed


def _names(line: str, variable: str) -> bool:
    """And does not provide for its absence, as `${variable:-}` does."""
    name = re.escape(variable)
    return re.search(rf"\$({name}\b|\{{{name}\}})", line) is not None


def cwd_of(command: Command) -> bytes:
    """The command's own, else the home directory."""
    return os.fsencode(command.cwd or home())


def home() -> Path:
    """The home directory, where there is one."""
    folder = Path.home()
    return folder if folder.is_dir() else Path("/")


def arguments_of(command: Command) -> list[bytes]:
    arguments = command.arguments or ("/bin/sh", "-c", command.line)
    return [os.fsencode(argument) for argument in arguments]


def _values(values: dict[str, JSON]) -> dict[bytes, bytes]:
    variables: dict[bytes, bytes] = {}
    room = MAX_VALUES
    for name, value in values.items():
        text = _text(value)
        if _NAME.fullmatch(name) and b"\0" not in text and len(text) <= min(MAX_VALUE, room):
            variables[name.encode()] = text
            room -= len(text)
    return variables


def _text(value: JSON) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")
