"""Starts one command in a session of its own, and says in words why it could not."""

import os

from taskd.executors import kernel
from taskd.logs.writer import reason

NOT_FOUND, CANNOT_RUN = 127, 126


class CannotStart(Exception):
    """`status` is what a shell would give."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message


class Started:
    """A command that runs, with the ends to read of its two pipes."""

    def __init__(self, pid: int, stdout: int, stderr: int) -> None:
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr


def launch(arguments: list[bytes], cwd: bytes, environment: dict[bytes, bytes]) -> Started:
    """Start it with this process's stdin. Returns when the program runs.

    Raises CannotStart, or OSError where there is no process or pipe for it now.
    """
    (stdout, output), (stderr, errors), (trouble, complaint) = os.pipe(), os.pipe(), os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _leave_parent(parent, output, errors)
            _become(arguments, cwd, environment)
        except CannotStart as error:
            os.write(complaint, b"%d %s" % (error.status, error.message.encode()))
        except (OSError, ValueError) as error:  # e.g. a NUL in the environment
            os.write(complaint, b"%d cannot start: %s" % (CANNOT_RUN, str(error).encode()))
        finally:
            os._exit(NOT_FOUND)
    for descriptor in (output, errors, complaint):
        os.close(descriptor)
    complained = os.read(trouble, 64 * 1024)
    os.close(trouble)
    if complained:
        os.waitpid(pid, 0)
        status, _, message = complained.decode().partition(" ")
        raise CannotStart(int(status), message)
    return Started(pid, stdout, stderr)


def _leave_parent(parent: int, output: int, errors: int) -> None:
    os.setsid()
    kernel.die_with_parent()
    if os.getppid() != parent:
        os._exit(NOT_FOUND)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.umask(0o022)
    kernel.forget_signals()


def _become(arguments: list[bytes], cwd: bytes, environment: dict[bytes, bytes]) -> None:
    try:
        os.chdir(cwd)
    except OSError as error:
        raise CannotStart(CANNOT_RUN, f"cannot enter {_show(cwd)}: {reason(error)}") from None
    name, denied = _show(arguments[0]), None
    for program in _candidates(arguments[0], environment):
        try:
            os.execve(program, arguments, environment)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            denied = denied or error
    if denied:
        raise CannotStart(CANNOT_RUN, f"cannot run {name}: {reason(denied)}")
    raise CannotStart(NOT_FOUND, f"cannot run {name}: no such program")


def _candidates(program: bytes, environment: dict[bytes, bytes]) -> list[bytes]:
    if b"/" in program:
        return [program]
    path = environment.get(b"PATH", os.fsencode(os.defpath))
    return [os.path.join(folder or b".", program) for folder in path.split(b":")]


def _show(name: bytes) -> str:
    return repr(name.decode("utf-8", "backslashreplace")[:200])
