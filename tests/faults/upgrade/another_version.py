"""A copy of the packages as another version of them, which can be replaced or removed under what
runs of it, as an upgrade does."""

import shutil
from pathlib import Path

from taskd import version

SOURCE = Path(version.__file__).parents[1]
PACKAGES = ("taskd", "taskctl")
VERSION = "0.0.9"


class AnotherVersion:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for package in PACKAGES:
            shutil.copytree(SOURCE / package, folder / package)
        self.change("taskd/version.py", version.VERSION, VERSION)

    def change(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def replace(self) -> None:
        """By something that fits nothing which was loaded before."""
        for file in self.folder.rglob("*.py"):
            file.with_suffix(".new").write_text(f"raise ImportError({str(file)!r})\n")
            file.with_suffix(".new").replace(file)
