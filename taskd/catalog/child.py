"""Author code is read in a child process: all action files into a catalog, or one YAML text.

    parent                                   child: python -m taskd.catalog
    {"folders": […], "skip": […]}  ────►     imports every file, describes every action
                                   ◄────     `at FILE`, before each of them
    {"text": …, "file": …}         ────►     compiles one definition
                                   ◄────     the answer, or an error, as a last line of JSON

A file that kills the child, or never lets go of it, is the one it was at: skipped, and broken.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from taskd import wire
from taskd.catalog.catalog import Catalog, take_fingerprint
from taskd.model.definition import Broken, Definition
from taskd.model.errors import Busy, TaskdError

PATIENCE = 20.0


@dataclass(frozen=True)
class Loaded:
    definitions: list[Definition]
    broken: list[Broken]
    warnings: list[Broken]


def load(folders: list[str]) -> Catalog:
    """The catalog of all files below `folders` and of installed packages."""
    fingerprint = take_fingerprint(folders)  # before: what changes meanwhile is read again
    deadly: list[Broken] = []
    while True:
        skip = [broken.file for broken in deadly]
        try:
            loaded = wire.decode(Loaded, _ask({"folders": folders, "skip": skip}))
            break
        except _Died as death:
            if not death.file or death.file in skip:
                raise
            deadly.append(Broken(death.file, 1, death.message))
    return Catalog(
        {definition.label: definition for definition in loaded.definitions},
        (*loaded.broken, *deadly),
        tuple(loaded.warnings),
        tuple(folders),
        fingerprint,
    )


def compile_text(text: str, file: str) -> Definition:
    """The definition in a YAML text. Raises InvalidAction with file and line."""
    return wire.decode(Definition, _ask({"text": text, "file": file}))


class _Died(TaskdError):
    """The child did not answer; `file` is the one that it was at."""

    def __init__(self, why: str, said: bytes) -> None:
        super().__init__(f"it {why} when it is imported", hint="taskctl actions --broken")
        files = [line[3:].decode() for line in said.splitlines() if line.startswith(b"at ")]
        self.file = files[-1] if files else ""


def _ask(question: dict[str, Any]) -> Any:
    try:
        child = subprocess.run(
            [sys.executable, "-m", "taskd.catalog"],
            input=json.dumps(question).encode(),
            stdout=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    except OSError as error:
        raise Busy(f"cannot read the actions: {error}", hint="try again later") from None
    except subprocess.TimeoutExpired as late:
        raise _Died(f"takes longer than {PATIENCE:g} s", late.stdout or b"") from None
    line = child.stdout.rpartition(b"\n")[2]
    if not line.startswith(b"{"):
        raise _Died(f"ends the process (status {child.returncode})", child.stdout)
    answer = wire.loads(line)
    if "error" in answer:
        raise wire.error_from(answer["error"])
    return answer["result"]
