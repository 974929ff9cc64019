"""Author code is read in a child process: all action files into a catalog, or one YAML text.

parent                                  child: python -m taskd.catalog
{"folders": […]}              ────►     imports every file, describes every action
{"text": …, "file": …}        ────►     compiles one definition
                              ◄────     the answer, or an error, as one line of JSON
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from taskd import wire
from taskd.catalog.catalog import Catalog, take_fingerprint
from taskd.model.definition import Broken, Definition
from taskd.model.errors import TaskdError

PATIENCE = 60.0


@dataclass(frozen=True)
class Loaded:
    definitions: list[Definition]
    broken: list[Broken]
    warnings: list[Broken]


def load(folders: list[str]) -> Catalog:
    """The catalog of all files below `folders` and of installed packages."""
    fingerprint = take_fingerprint(folders)  # before: what changes meanwhile is read again
    loaded = wire.decode(Loaded, _ask({"folders": folders}))
    return Catalog(
        {definition.label: definition for definition in loaded.definitions},
        tuple(loaded.broken),
        tuple(loaded.warnings),
        tuple(folders),
        fingerprint,
    )


def compile_text(text: str, file: str) -> Definition:
    """The definition in a YAML text. Raises InvalidAction with file and line."""
    return wire.decode(Definition, _ask({"text": text, "file": file}))


def _ask(question: dict[str, Any]) -> Any:
    try:
        child = subprocess.run(
            [sys.executable, "-m", "taskd.catalog"],
            input=json.dumps(question).encode(),
            stdout=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TaskdError(
            f"reading the action files took longer than {PATIENCE:g} s",
            hint="look for an action file that works or waits when it is imported",
        ) from None
    if not child.stdout:
        raise TaskdError(
            f"reading the action files ended with status {child.returncode}",
            hint="look for an action file that ends the process when it is imported",
        )
    answer = wire.loads(child.stdout)
    if "error" in answer:
        raise wire.error_from(answer["error"])
    return answer["result"]
