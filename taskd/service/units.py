"""The units of a user's daemon, as text.

Steps run in the service, so whatever is forbidden to it or limited for it is so for them: the unit
has no sandbox, and nothing that counts processes or memory.
"""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from taskd.model.errors import InvalidInput
from taskd.places import deciding_variables
from taskd.socket_path import MAX_PATH

SERVICE, SOCKET = NAMES = ("taskd.service", "taskd.socket")

MARK = "# Written by `taskd service install`"
_SAFE = re.compile(r"[\w/.:=@+,-]+", re.ASCII)

_HEAD = """\
{mark}, which replaces it. Changes of your own: systemctl --user edit {name}
"""

_SERVICE = """\
[Unit]
Description=taskd, which runs durable tasks
Requires=taskd.socket
After=taskd.socket
# The sixth daemon in a row that dies at its start is in safe mode and answers: let it come.
StartLimitIntervalSec=60
StartLimitBurst=10

[Service]
Type=notify
NotifyAccess=main
SyslogIdentifier=taskd
{environment}ExecStart={start}
ExecReload={reload}
# Running steps outlive the daemon, and the next one takes them up again.
KillMode=process
OOMPolicy=continue
TasksMax=infinity
Restart=on-failure
# Another daemon has the store; store or configuration must not be used as it is.
RestartPreventExitStatus=75 78
RestartSec=1
WatchdogSec=30
TimeoutStartSec=300
TimeoutStopSec=90

[Install]
WantedBy=default.target
Also=taskd.socket
"""

_SOCKET = """\
[Unit]
Description=Socket of taskd

[Socket]
ListenStream={path}
SocketMode=0600
DirectoryMode=0700
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
"""


@dataclass(frozen=True)
class Start:
    """How the daemon is started, so that it finds what the caller means."""

    options: tuple[str, ...]  # of `taskd`
    environment: dict[str, str]
    program: tuple[str, ...] = (sys.executable, "-P", "-m", "taskd")


def like_caller(options: Mapping[str, str], environment: Mapping[str, str]) -> Start:
    """With the options and variables by which the caller finds configuration, state and socket."""
    words = [
        word
        for name, path in options.items()
        for word in (f"--{name.replace('_', '-')}", str(Path(path).absolute()))
    ]
    return Start(tuple(words), deciding_variables(environment))


def write_units(start: Start, socket: Path) -> dict[str, str]:
    """The text of each unit by its name. Raises InvalidInput for what no unit can say."""
    environment = "".join(
        f"Environment={_quoted(f'{name}={value}')}\n" for name, value in start.environment.items()
    )
    service = _SERVICE.format(
        environment=environment,
        start=_command(start, "run"),
        reload=_command(start, "reload"),
    )
    bodies = {SERVICE: service, SOCKET: _SOCKET.format(path=listen_path(socket))}
    return {name: _HEAD.format(mark=MARK, name=name) + "\n" + bodies[name] for name in NAMES}


def listen_path(path: Path) -> str:
    """As `ListenStream=` has it, which knows no quotes."""
    text = _checked(str(path))
    if len(os.fsencode(text)) > MAX_PATH:
        raise InvalidInput(f"cannot listen at {text}: it is too long, at most {MAX_PATH} bytes")
    if text != text.strip() or text.endswith("\\"):
        raise InvalidInput(f"cannot write {text!r} in a unit: no space or backslash may end it")
    return without_specifiers(text)


def without_specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _command(start: Start, name: str) -> str:
    program, *words = start.program
    # `$` begins a variable in all words but the first.
    arguments = (word.replace("$", "$$") for word in (*words, name, *start.options))
    return _line([program, *arguments])


def _line(words: Iterable[str]) -> str:
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    text = without_specifiers(_checked(word))
    if _SAFE.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _checked(text: str) -> str:
    if not text.isprintable():  # lone bytes that are no UTF-8 are not, either
        raise InvalidInput(f"cannot write {text!r} in a unit: it has signs that cannot be printed")
    return text
