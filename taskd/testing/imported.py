"""The catalog of a test: the actions that it hands over, and what its process has imported."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from taskd.actions.action import Action, label_of
from taskd.actions.function import action_of
from taskd.catalog.catalog import Catalog
from taskd.catalog.describe import describe
from taskd.catalog.yaml_source import compile_definition
from taskd.model.definition import Definition

_REVISION = "imported"
_COMPUTED = [name for name, known in vars(Catalog).items() if isinstance(known, cached_property)]


@dataclass(frozen=True)
class Imported(Catalog):
    """`classes` are those behind the definitions, by module and name, also ones that no import
    would find, since a function declares them."""

    classes: dict[tuple[str, str], type[Action]] = field(default_factory=dict)

    def add(self, action: Callable[..., Any] | Path) -> str:
        """Its label. It takes the place of another action of that label, as an edited file does."""
        if isinstance(action, Path):
            return self._keep(compile_definition(action.read_text("utf-8"), str(action)))
        declared = action_of(action)
        if declared is None:
            raise TypeError(f"{action!r} is no action: give a class, or a function with @action")
        self.classes[declared.__module__, declared.__qualname__] = declared
        return self._keep(describe(declared, revision=_REVISION))

    def get(self, label: str) -> Definition:
        if label not in self.definitions and (found := self._search(label)):
            self.add(found)
        return super().get(label)

    def find(self, module: str, name: str) -> type[Action]:
        """The class that a step belongs to."""
        return self.classes[module, name]

    def _keep(self, definition: Definition) -> str:
        self.definitions[definition.label] = definition
        for name in _COMPUTED:
            self.__dict__.pop(name, None)
        return definition.label

    def _search(self, label: str) -> type[Action] | None:
        """Of several, one of a module that is in use already; of these the one declared last."""
        found = [action for action in _declared(Action) if label_of(action) == label]
        modules = {module for module, _ in self.classes}
        near = [action for action in found if action.__module__ in modules]
        return next(reversed(near or found), None)

    def _hint(self, label: str) -> str:
        return f"import what declares {label!r}, or hand it over: Inline(Notify, Path('it.yaml'))"


def _declared(base: type[Action]) -> Iterator[type[Action]]:
    for action in base.__subclasses__():
        if "__declaration__" in vars(action):  # else it was refused
            yield action
        yield from _declared(action)
