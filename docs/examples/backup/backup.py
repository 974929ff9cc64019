"""The same as backup.yaml, as a class. Put it into the actions folder; then

taskctl run backup.folder.python source=/etc target=/mnt/backups keep=7
"""

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from taskd import Action, Lock, Retry, exclusive, step


class BackUpFolder(Action, label="backup.folder.python", cleanup_after="30d"):
    source: str
    target: str
    keep: int = 7

    def title(self) -> str:
        return f"Back up {self.source}"

    def locks(self) -> Iterable[Lock]:
        yield exclusive(f"folder:{self.source}", "backup")

    @step
    def archive(self) -> dict[str, str]:
        source = Path(self.source)
        name = f"{source.name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}.tar.gz"
        file = Path(tempfile.mkdtemp(prefix="backup.")) / name
        with tarfile.open(file, "w:gz") as archive:
            archive.add(source, source.name)
        return {"file": str(file), "sha256": sha256(file)}

    @step(retry=Retry(1, delay=1))
    def copy(self, archive: dict[str, str]) -> str:
        file = Path(archive["file"])
        return str(shutil.copy2(file, Path(self.target) / file.name))

    @step
    def verify(self, archive: dict[str, str], copy: str) -> str:
        if (found := sha256(Path(copy))) != archive["sha256"]:
            raise ValueError(f"{copy} is not what was archived: its checksum is {found}")
        return found

    @step
    def tidy(self, archive: dict[str, str]) -> None:
        shutil.rmtree(Path(archive["file"]).parent)

    @step
    def prune(self) -> list[str]:
        copies = sorted(Path(self.target).glob(f"{Path(self.source).name}-*.tar.gz"), reverse=True)
        for old in copies[self.keep :]:
            old.unlink()
        return [old.name for old in copies[self.keep :]]


def sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
