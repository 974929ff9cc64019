"""A page of documentation, done as it says: files are written, commands run, output compared.

```python           a file: its first line is its name, as in `# actions/greet.py`, from where one
# greet.py          works; `actions` is the folder of actions
```
```console
$ taskctl wait 1    is run; what follows must be what it prints on both streams,
task 1 ended: …     where `…` is anything, and alone in a line any lines
```
Lengths of time are not compared. Blocks of other kinds are only shown.
"""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from real_daemon import COMMANDS, PATIENCE, Daemon

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SHOWING = ("taskctl show", "taskctl list", "taskctl logs", "cat")
_LENGTH = re.compile(r"\b\d+\.\d+s")


def follow(page: Path, daemon: Daemon) -> None:
    folder = daemon.root / "w"
    folder.mkdir()
    (folder / "actions").symlink_to(daemon.actions)
    for kind, text in _BLOCK.findall(page.read_text()):
        if kind in ("python", "yaml"):
            name = text.partition("\n")[0].removeprefix("# ")
            assert re.fullmatch(r"[\w/]+\.(py|yaml)", name), f"a block without a name: {text}"
            _write(folder / name, text)
        elif kind == "console":
            for command, expected in _commands(text):
                _try(command, expected, folder, daemon)


def _try(command: str, expected: str, folder: Path, daemon: Daemon) -> None:
    """What only shows is asked again for a while: hooks come after the change."""
    pattern = _pattern(expected)
    deadline = time.monotonic() + (PATIENCE if command.startswith(_SHOWING) else 0)
    while not pattern.fullmatch(printed := _plain(_run(command, folder, daemon))):
        assert time.monotonic() < deadline, f"$ {command}\n{printed}"


def _write(file: Path, text: str) -> None:
    """A new file each time, as editors write it."""
    new = file.with_name(f".{file.name}")
    new.write_text(text)
    new.replace(file)


def _commands(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        yield command, expected


def _run(command: str, folder: Path, daemon: Daemon) -> str:
    path = f"{COMMANDS}:{daemon.environment['PATH']}"
    return subprocess.run(
        ["sh", "-c", command],
        env=daemon.environment | {"PATH": path},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    ).stdout


def _pattern(expected: str) -> re.Pattern[str]:
    lines = ["(.*\n)*" if line == "…" else _line(line) for line in expected.splitlines()]
    return re.compile("".join(lines))


def _line(expected: str) -> str:
    return ".+".join(map(re.escape, _plain(expected).split("…"))) + "\n"


def _plain(text: str) -> str:
    return re.sub(r" +$", "", _LENGTH.sub("0.0s", text), flags=re.MULTILINE)
