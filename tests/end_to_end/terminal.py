"""`taskctl` on a terminal of its own: what a person sees there, and types."""

import contextlib
import os
import pty
import select
import subprocess
import termios
from collections.abc import Iterator

from real_daemon import COMMANDS, PATIENCE, Daemon


def on_terminal(
    daemon: Daemon, *words: object, typed: str = "", columns: int = 80
) -> tuple[int, str]:
    """The exit code of `taskctl WORDS`, and what its terminal showed, without colours."""
    with opened(daemon, *words, columns=columns) as (process, ours):
        os.write(ours, typed.encode())
        shown = b"".join(iter(lambda: _read(ours), b""))
        return process.wait(PATIENCE), shown.decode().replace("\r\n", "\n")


@contextlib.contextmanager
def opened(
    daemon: Daemon, *words: object, columns: int = 80
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`taskctl WORDS`, and its terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    own = {name: daemon.environment[name] for name in daemon.environment.keys() - {"COLUMNS"}}
    process = subprocess.Popen(
        [str(COMMANDS / "taskctl"), *map(str, words)],
        env=own | {"TERM": "xterm", "NO_COLOR": "1"},
        cwd=daemon.root,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def await_text(terminal: int, text: str) -> None:
    """Until it has shown this, from now on."""
    shown = b""
    while text.encode() not in shown:
        more = _read(terminal)
        assert more, f"it ended without {text!r}: {shown.decode()}"
        shown += more


def _read(terminal: int) -> bytes:
    """What it shows next; nothing when nobody has it any more."""
    assert select.select([terminal], [], [], PATIENCE)[0], "the command shows nothing"
    with contextlib.suppress(OSError):
        return os.read(terminal, 1 << 16)
    return b""
