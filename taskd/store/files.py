"""Files that are there whole or not at all, also after a power cut."""

import os
from pathlib import Path


def put(path: Path, content: bytes) -> None:
    """A private file with that content, in place of what was there."""
    part = path.with_name(f"{path.name}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(part, flags, 0o600), "wb") as file:
        file.write(content)
    move(part, path)


def move(part: Path, path: Path) -> None:
    """What was written at `part` is at `path` from now on."""
    sync(part)
    part.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """A file, or a folder with the names in it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
