"""The user's own systemd, by its command."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from taskd.model.errors import TaskdError
from taskd.service.units import NAMES, SERVICE

_LINGERING = Path("/var/lib/systemd/linger")


def is_there() -> bool:
    """Whether there is a manager that can be told to do something."""
    return shutil.which("systemctl") is not None and _serves(_runtime())


def lingers() -> bool:
    """Whether it goes on when the user has logged out."""
    return (_LINGERING / pwd.getpwuid(os.getuid()).pw_name).exists()


def systemctl(*arguments: str) -> str:
    """What the command prints. Raises TaskdError with its complaint."""
    if shutil.which("systemctl") is None:
        raise TaskdError("there is no systemctl here", hint="without systemd: taskd start")
    if not is_there():
        raise TaskdError(
            f"no systemd of your own runs: there is no {_runtime()}/systemd/private",
            hint="loginctl enable-linger starts it, then try again; without systemd: taskd start",
        )
    done = _run(arguments)
    if done.returncode:
        complaint = done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}"
        raise TaskdError(f"systemctl --user {' '.join(arguments)}: {complaint}")
    return done.stdout


def start(*, anew: bool) -> None:
    """Returns once the daemon answers. `anew`: what is open is of no use, its file is gone."""
    _run(("reset-failed", *NAMES))  # which fails for units that are not loaded
    try:
        systemctl("restart" if anew else "start", *NAMES)
    except TaskdError as error:
        told = systemctl("show", "--property=StatusText", "--value", SERVICE).strip()
        raise TaskdError(
            f"the service did not start: {told}" if told else error.message,
            hint=f"journalctl --user --unit {SERVICE} --lines 20",
        ) from None


def stop(*, socket: bool) -> None:
    """The daemon; unless its `socket` is closed, too, the next request starts it again."""
    systemctl("stop", *(NAMES if socket else [SERVICE]))


def runs() -> bool:
    return _run(("is-active", "--quiet", SERVICE)).returncode == 0


def _run(arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemctl", "--user", "--no-pager", *arguments],
        env=os.environ | {"LC_ALL": "C", "XDG_RUNTIME_DIR": _runtime()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _runtime() -> str:
    """The variable is unset where one did not log in, and another user's after `su`."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    return given if _serves(given) else f"/run/user/{os.getuid()}"


def _serves(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "systemd/private"))
