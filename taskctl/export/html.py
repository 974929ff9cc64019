"""Pages in a tar.gz: a list, and one for each task."""

import gzip
import io
import tarfile
import time

from taskctl import target
from taskctl.exporting import Tasks
from taskctl.pages.site import Site

SUFFIX = ".tar.gz"
FOLDER = "taskctl-export"


def write(tasks: Tasks, path: str, *, force: bool) -> None:
    with (
        target.new_file(path, force=force) as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=5) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        for folder in (FOLDER, f"{FOLDER}/tasks"):
            archive.addfile(_member(folder, tarfile.DIRTYPE, 0o700))
        Site(tasks, lambda name, data: _add(archive, name, data)).write()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = _member(f"{FOLDER}/{name}", tarfile.REGTYPE, 0o600)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def _member(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.mtime = kind, mode, int(time.time())
    return member
