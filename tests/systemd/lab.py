"""A real systemd as pid 1 in namespaces of its own: it sees this machine and changes nothing of it.

mounts.sh   keeps an overlay of / whose upper side is in memory; ends when this process does
boot.sh     pid 1, one after the other: a reboot ends it, and what it has written stays
"""

import contextlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TREE = HERE.parents[1]
SYSTEMD = Path("/lib/systemd/systemd")
PROGRAMS = ("unshare", "nsenter", "setpriv", "pivot_root", "useradd", "loginctl", "dbus-daemon")
CONFIG = Path(sys.prefix, "pyvenv.cfg")
USER_BUS = Path("/usr/lib/systemd/user/dbus.socket")
SPACES = ("--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup")
PATIENCE = 30.0


def why_not() -> str:
    """What keeps this machine from having a lab; "" for nothing."""
    if os.geteuid() != 0:
        return "needs root, to boot a systemd in namespaces"
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    missing += [str(file) for file in (SYSTEMD, USER_BUS) if not file.exists()]
    if missing:
        return f"needs systemd, with logind and a bus for users; missing: {', '.join(missing)}"
    if not all(file.stat().st_mode & stat.S_IROTH for file in (Path(__file__), CONFIG)):
        return "needs a tree and a virtual environment that other users may read"
    return _why_no_namespaces()


def _why_no_namespaces() -> str:
    root = _cgroups()
    if root is None or not os.access(root, os.W_OK):
        return "needs cgroups v2 that can be written"
    script = """
        mount -t tmpfs tmpfs "$0" && cd "$0" && mkdir upper work root
        mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root"""
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(
            ["unshare", *SPACES, "--fork", "sh", "-ec", script, folder],
            capture_output=True,
            text=True,
            check=False,
        )
    return f"needs namespaces and overlayfs: {tried.stderr.strip()}" if tried.returncode else ""


class Lab:
    """Booted when it is made. `close` leaves nothing."""

    def __init__(self) -> None:
        root = _cgroups()
        assert root
        self._folder = Path(tempfile.mkdtemp(prefix="lab"))
        self._cgroup = root / self._folder.name
        self._cgroup.mkdir()
        script = HERE / "mounts.sh"
        self._mounts = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", script, self._folder, *_shown()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._mounts.stdout
        assert self._mounts.stdout.readline() == b"ready\n", "the mounts cannot be made"
        try:
            self.boot()
        except BaseException:  # nobody would close it
            self.close()
            raise

    def boot(self) -> None:
        enter = ["nsenter", "-t", str(self._mounts.pid), "-m", "-r"]
        script = (HERE / "boot.sh").read_text()
        self._outer = subprocess.Popen(
            ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', self._cgroup,
             "setpriv", "--pdeathsig", "KILL", *enter,
             "unshare", *SPACES, "--fork", "--kill-child", "bash", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self._init = eventually(lambda: _child_of(self._outer.pid))
        eventually(self._is_up)

    def start(self, *command: object) -> subprocess.Popen[str]:
        """A command inside."""
        return subprocess.Popen(
            ["nsenter", "-t", str(self._init), "-a", "-r", "-w", *map(str, command)],
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        with self.start(*command) as process:
            try:
                told, complaint = process.communicate(timeout=2 * PATIENCE)
            except BaseException:  # it would outlive whatever ends us
                process.kill()
                raise
        assert not check or process.returncode == 0, f"{command}: {complaint}"
        return subprocess.CompletedProcess(command, process.returncode, told, complaint)

    def path(self, file: Path) -> Path:
        """Where a file inside is seen from here."""
        return Path(f"/proc/{self._init}/root") / file.relative_to("/")

    def reboot(self) -> None:
        """In order: systemd stops all that runs."""
        self.run("systemctl", "reboot")
        self._outer.wait(PATIENCE)
        self.boot()

    def cut_power(self) -> None:
        """All ends at once."""
        self._outer.kill()
        self._outer.wait(PATIENCE)
        eventually(lambda: "populated 0" in (self._cgroup / "cgroup.events").read_text())
        self.boot()

    def close(self) -> None:
        self._outer.kill()
        self._outer.wait()
        self._mounts.communicate()
        eventually(lambda: _remove_cgroups(self._cgroup))
        self._folder.rmdir()

    def _is_up(self) -> bool:
        state = self.run("systemctl", "is-system-running", "--wait", check=False).stdout
        return state.strip() in ("running", "degraded")


def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> Any:
    """The first value of `condition` that is true; it must become so before long."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return value


def _cgroups() -> Path | None:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, folder, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(folder)
    return None


def _remove_cgroups(folder: Path) -> bool:
    try:
        for below, _, _ in os.walk(folder, topdown=False):
            os.rmdir(below)
    except OSError:
        return False
    return True


def _child_of(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None
    return None


def _shown() -> list[Path]:
    """The tree, and the Python that runs it."""
    folders = {TREE, Path(sys.prefix), Path(sys.base_prefix)}
    seen = {Path("/usr")} | folders
    return [one for one in folders if not any(folder in seen for folder in one.parents)]
