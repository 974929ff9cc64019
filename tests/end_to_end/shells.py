"""A real shell on a terminal, in which somebody types and presses TAB."""

import os
import pty
import select
import subprocess
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from real_daemon import COMMANDS, PATIENCE, Daemon, eventually

READY = "ready>"

# How each is started without what its user has set, and told to write its line down at ^G.
STARTS: dict[str, tuple[Sequence[str], str]] = {
    "bash": (
        ["--norc", "--noprofile", "-i"],
        """PS1='ready> '; source {script}; eval "$(_TASKD_COMPLETE=bash_source taskd)"
        bind -x '"\\C-g": printf %s "$READLINE_LINE" >{line}.new; mv {line}.new {line}'""",
    ),
    "zsh": (
        ["-f", "-i"],
        """autoload -Uz compinit; compinit -D -u; source {script}; PS1='ready> '; unsetopt beep
        _line() {{ print -rn -- "$BUFFER" >{line}.new; command mv {line}.new {line} }}
        zle -N _line; bindkey '^G' _line""",
    ),
    "fish": (
        ["--no-config", "--interactive"],
        """source {script}; function fish_prompt; echo 'ready> '; end; set fish_greeting
        bind \\cg 'commandline >{line}.new; mv {line}.new {line}'""",
    ),
}


class Shell:
    def __init__(self, name: str, terminal: int, line: Path) -> None:
        self.name = name
        self._terminal = terminal
        self._line = line
        self.shown = ""

    def completed(self, typed: str) -> str:
        """The line after TAB was pressed at its end."""
        self._line.unlink(missing_ok=True)
        os.write(self._terminal, f"{typed}\t\x07".encode())
        eventually(lambda: self.read() or self._line.exists())
        line = self._line.read_text().removesuffix("\n")
        os.write(self._terminal, b"\x05\x15")  # to its end, and away with it
        return line

    def listed(self, typed: str, wanted: str) -> None:
        """Wait until `wanted` is shown after TAB was pressed twice."""
        self.shown = ""
        os.write(self._terminal, f"{typed}\t\t".encode())
        eventually(lambda: self.read() or wanted in self.shown)
        os.write(self._terminal, b"\x05\x15")

    def read(self) -> None:
        while select.select([self._terminal], [], [], 0)[0]:
            self.shown += os.read(self._terminal, 1 << 16).decode(errors="replace")


@contextmanager
def a_shell(name: str, daemon: Daemon) -> Iterator[Shell]:
    options, setup = STARTS[name]
    script, line, start = (daemon.root / word for word in ("script", "line", "start"))
    script.write_text(daemon.taskctl("completion", name).stdout)
    start.write_text(setup.format(script=script, line=line))
    path = f"{COMMANDS}:{os.environ['PATH']}"
    own = {"PATH": path, "TERM": "xterm", "HOME": str(daemon.root)}
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 200))
    process = subprocess.Popen(
        ["setsid", "--ctty", name, *options],
        env=daemon.environment | own,
        cwd=daemon.root,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shell = Shell(name, ours, line)
    try:
        os.write(ours, f"source {start}\r".encode())
        eventually(lambda: shell.read() or READY in shell.shown)
        yield shell
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(ours)
