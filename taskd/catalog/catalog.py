"""The actions that the daemon knows, as plain data, and whether their files have changed since."""

import os
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

from taskd import wire
from taskd.model.definition import Broken, Definition, StepDefinition
from taskd.model.errors import NotFound
from taskd.model.task import Task

_KEPT = 256  # decoded definitions of tasks that bring their own


@dataclass(frozen=True)
class Catalog:
    definitions: dict[str, Definition] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()
    warnings: tuple[Broken, ...] = ()  # about files that work, but perhaps not as they were meant
    folders: tuple[str, ...] = ()
    fingerprint: object = None  # of the folders and their files when they were read
    _kept: OrderedDict[int, Definition] = field(default_factory=OrderedDict)

    @cached_property
    def hooked(self) -> frozenset[str]:
        """The labels of actions that have hooks."""
        return frozenset(label for label, known in self.definitions.items() if known.hooks)

    @cached_property
    def subscribers(self) -> dict[str, list[str]]:
        """The labels of actions that run beside another one, by the label of that."""
        found: dict[str, list[str]] = {}
        for label, known in self.definitions.items():
            if known.subscribes_to:
                found.setdefault(known.subscribes_to, []).append(label)
        return found

    def get(self, label: str) -> Definition:
        """Raises NotFound, with what may have been meant, or what is broken."""
        definition = self.definitions.get(label)
        if definition is None:
            raise NotFound(self.why_missing(label), hint=self._hint(label))
        return definition

    def of(self, task: Task) -> Definition | None:
        """The definition that holds for `task` now; None when its action is gone."""
        if task.definition is None:
            return self.definitions.get(task.label)
        kept = self._kept.get(task.id)
        if kept is None:
            kept = self._kept[task.id] = wire.decode(Definition, task.definition)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return kept

    def step_of(self, task: Task, name: str) -> StepDefinition | None:
        """What its action says of the step now; None when the step or the action is gone."""
        definition = self.of(task)
        return definition.step(name) if definition else None

    def why_missing(self, label: str) -> str:
        """`no action 'x'`, and which files could not be loaded, since it may be in one of them."""
        broken = "; ".join(map(str, self.broken[:3]))
        return f"no action {label!r}" + (f" ({broken})" if broken else "")

    def is_stale(self) -> bool:
        """Whether a file was added, removed or edited since the catalog was read."""
        return take_fingerprint(self.folders) != self.fingerprint

    def _hint(self, label: str) -> str:
        near = get_close_matches(label, self.definitions, 1)
        if near:
            return f"did you mean {near[0]!r}?"
        if self.broken:
            return "some action files could not be loaded: taskctl actions --broken"
        return "taskctl actions lists what there is"


def take_fingerprint(folders: Iterable[str]) -> object:
    """What changes when any file below `folders` does: names, sizes and times."""
    return [entry for folder in folders for entry in _scan(folder)]


def _scan(folder: str) -> list[tuple[str, int, int, int]]:
    found: list[tuple[str, int, int, int]] = []
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return found
    for entry in entries:
        if entry.name.startswith((".", "__pycache__")):
            continue
        found.append((entry.path, *_look(entry)))
        if entry.is_dir(follow_symlinks=False):
            found += _scan(entry.path)
    return found


def _look(entry: os.DirEntry[str]) -> tuple[int, int, int]:
    try:
        status = entry.stat()
    except OSError:  # a link to nothing, a file just removed, a folder that may not be entered
        return 0, 0, 0
    return status.st_mtime_ns, status.st_size, status.st_ino
