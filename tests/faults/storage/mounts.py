"""Disks of a test: small ones, in memory, and ones that cannot be written.

Where nothing can be mounted, the test is skipped.
"""

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

CHUNK = 1 << 16


class Disk:
    """What is at `path`, once it is mounted."""

    def __init__(self, path: Path, options: str = "size=24m") -> None:
        self.path = path
        self._options = options

    def mount(self) -> None:
        _need_mounts()
        self.path.mkdir()
        _run("mount", "-t", "tmpfs", "-o", f"{self._options},mode=700", "none", str(self.path))

    def unmount(self) -> None:
        _run("umount", "--lazy", str(self.path))

    def fill(self) -> None:
        """To the last byte."""
        with contextlib.suppress(OSError), open(self.path / "ballast", "ab", buffering=0) as file:
            while True:
                file.write(bytes(CHUNK))

    def fill_with_files(self, folder: Path) -> None:
        """Until there may be no other one."""
        with contextlib.suppress(OSError):
            for number in itertools.count():
                (folder / str(number)).touch()

    def make_room(self) -> None:
        (self.path / "ballast").unlink()

    @property
    def free(self) -> int:
        return shutil.disk_usage(self.path).free


@contextlib.contextmanager
def read_only(path: Path):
    """The folder, which cannot be written meanwhile, also not by root."""
    _need_mounts()
    _run("mount", "--bind", str(path), str(path))
    try:
        _run("mount", "-o", "remount,ro,bind", str(path))
        yield
    finally:
        _run("umount", "--lazy", str(path))


@cache
def _why_not() -> str:
    if os.geteuid() != 0:
        return "only root can mount a disk for a test"
    with tempfile.TemporaryDirectory() as folder:
        try:
            _run("mount", "-t", "tmpfs", "none", folder)
        except (OSError, subprocess.CalledProcessError):
            return "a disk cannot be mounted here"
        _run("umount", folder)
    return ""


def _need_mounts() -> None:
    if reason := _why_not():
        pytest.skip(reason)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
