"""What the step at hand has said, in a file of its host's folder: for the next daemon to read.

Of progress only what no daemon heard; the id of a task in an outside service always, since it may
have been lost on its way to a daemon that died.
"""

import contextlib
import json
import os
from pathlib import Path

from taskd.executors.base import Progress


class Said:
    """The host's side. What cannot be written is not worth to fail for."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, "said")
        self._words: dict[str, object] = {}

    def write(self, call_id: int, **words: object) -> None:
        """`progress`, `external_id`: what was said before of the same call stays."""
        if self._words.get("id") != call_id:
            self._words = {"id": call_id}
        self._words |= words
        with contextlib.suppress(OSError):
            with open(self._path + ".part", "w") as file:
                json.dump(self._words, file)
            os.rename(self._path + ".part", self._path)


def read(folder: Path) -> list[tuple[int, Progress]]:
    """Each word with the call that it is of."""
    try:
        words = json.loads((folder / "said").read_text())
    except (OSError, ValueError):
        return []
    found = []
    if "external_id" in words:
        found.append((words["id"], Progress(None, external_id=words["external_id"])))
    if "progress" in words:
        found.append((words["id"], Progress(*words["progress"])))
    return found
