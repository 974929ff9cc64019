"""A command run by a step: its output is logged, and its failure is the step's."""

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import IO, TypeAlias

Log: TypeAlias = Callable[[str, bytes], object]  # takes "stdout" or "stderr", and what it says

KEPT_LINES = 20
_LONGEST_LINE = 4096


class CommandFailed(Exception):
    """`detail` is `{"status": 3}` or `{"signal": 9}`; None where it could not be started. A note
    has the last lines that the command wrote to stderr."""

    def __init__(
        self, message: str, detail: dict[str, int] | None = None, last_lines: Sequence[str] = ()
    ) -> None:
        last = next((line.strip() for line in reversed(last_lines) if line.strip()), "")
        super().__init__(f"{message}: {last}" if last else message)
        self.detail = detail
        if len(last_lines) > 1:
            self.add_note("\n".join(last_lines))


def run_command(
    arguments: Sequence[str | os.PathLike[str]],
    *,
    stdout: str | os.PathLike[str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    input: str | bytes | None = None,
    log: Log | None = None,
) -> None:
    """Run it and wait. `env` is added to the environment. Raises CommandFailed.

    What it prints goes to `log`, else to descriptors 1 and 2.
    """
    if isinstance(arguments, str | bytes):
        raise TypeError(f"run takes a list: {shlex.split(os.fsdecode(arguments))}")
    shown = shlex.join(map(os.fsdecode, arguments))
    sys.stdout.flush()
    with ExitStack() as files:
        stdin = subprocess.DEVNULL if input is None else files.enter_context(_file_of(input))
        target: IO[bytes] | int | None = subprocess.PIPE if log else None
        if stdout is not None:
            target = files.enter_context(open(stdout, "wb"))
        try:
            process = subprocess.Popen(
                arguments,
                stdin=stdin,
                stdout=target,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env=None if env is None else {**os.environ, **env},
            )
        except OSError as error:
            raise CommandFailed(f"cannot run {shown}: {error.strerror}: {error.filename}") from None
        last_lines = _wait(process, log or _to_descriptors)
    if process.returncode:
        raise CommandFailed(*_describe(shown, process.returncode), last_lines)


def _file_of(input: str | bytes) -> IO[bytes]:
    """A file rather than a pipe: the command may read it as late as it likes."""
    file = os.fdopen(os.memfd_create("input"), "w+b")
    file.write(input.encode() if isinstance(input, str) else input)
    file.seek(0)
    return file


def _wait(process: subprocess.Popen[bytes], log: Log) -> list[str]:
    """Its last lines on stderr, once it has ended."""
    lines: deque[str] = deque(maxlen=KEPT_LINES)
    pumps = [
        threading.Thread(target=_pump, args=(stream, pipe, log, lines), daemon=True)
        for stream, pipe in (("stdout", process.stdout), ("stderr", process.stderr))
        if pipe
    ]
    for pump in pumps:
        pump.start()
    try:
        process.wait()
    except BaseException:  # it ends with the step, whatever ended that
        process.kill()
        process.wait()
        raise
    # A grandchild that lives on may hold the pipes open for ever.
    for pump in pumps:
        pump.join(timeout=1.0)
    return list(lines)


def _pump(stream: str, pipe: IO[bytes], log: Log, lines: deque[str]) -> None:
    with pipe:
        while line := pipe.readline(_LONGEST_LINE):
            log(stream, line)
            if stream == "stderr":
                lines.append(line.decode(errors="backslashreplace").rstrip("\n"))


def _to_descriptors(_stream: str, line: bytes) -> None:
    """Only what the command says on stderr comes here; its stdout is the step's own."""
    os.write(2, line)


def _describe(shown: str, code: int) -> tuple[str, dict[str, int]]:
    if code < 0:
        return f"{shown} was ended by {_signal_name(-code)}", {"signal": -code}
    return f"{shown} ended with status {code}", {"status": code}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
