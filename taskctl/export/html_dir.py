"""The same pages in a folder."""

import os

from taskctl import target
from taskctl.exporting import Tasks
from taskctl.pages.site import Site

SUFFIX = ""


def write(tasks: Tasks, path: str, *, force: bool) -> None:
    with target.new_folder(path, force=force) as folder:
        os.mkdir(os.path.join(folder, "tasks"), 0o700)
        Site(tasks, lambda name, data: _add(os.path.join(folder, name), data)).write()


def _add(path: str, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
