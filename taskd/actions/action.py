"""Action: what a task does. Subclass it, declare the input, write the steps."""

import dataclasses
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar, Unpack, dataclass_transform

from taskd.actions.current import Current
from taskd.actions.declaration import Declaration, declaration_of, declare
from taskd.actions.flow import sequence
from taskd.actions.options import Options
from taskd.actions.place import declaring_frame, place_of_class
from taskd.model.lock import Lock
from taskd.model.step import JSON
from taskd.model.task import Flow, Task

FOLDERS = "taskd_actions."  # the package that the action folders are


@dataclass_transform(
    kw_only_default=True,
    frozen_default=True,
    field_specifiers=(dataclasses.field,),
)
class Action:
    """Annotated attributes are the input; methods marked `@step` are the work, in that order.

    An instance is a request to run a task: frozen, comparable, made of what JSON can hold. In a
    test its steps are plain methods. A class whose name starts with `_`, or that has neither steps
    nor a label, is a base for others.
    """

    __declaration__: ClassVar[Declaration]

    def __init_subclass__(cls, **options: Unpack[Options]) -> None:
        super().__init_subclass__()
        frame = declaring_frame(cls)
        place = place_of_class(cls, frame)
        cls.__declaration__ = declare(cls, place, frame, options, _RESERVED)
        if "label" in options and not has_work(cls):
            raise place.refuse("it has no step: put @step above a method")

    def __repr__(self) -> str:
        shown = (
            f"{field.name}={'…' if field.secret else repr(getattr(self, field.name))}"
            for field in declaration_of(type(self)).fields
        )
        return f"{type(self).__qualname__}({', '.join(shown)})"

    @cached_property
    def task(self) -> Current:
        """The task that this step is part of; outside a run, a stand-in that only remembers."""
        return Current()

    def title(self) -> str:
        """How people see the task, e.g. "Back up blog"."""
        return words(type(self).__name__)

    def locks(self) -> Iterable[Lock]:
        """What the task claims until it is stopped: `exclusive(…)` and `link(…)`."""
        return ()

    def describe_input(self) -> str:
        """How people see the input. Only asked where it is overridden, as the two that follow."""
        return ""

    def describe_output(self, task: Task) -> str:  # noqa: ARG002
        """How people see what came of it."""
        return ""

    def describe_error(self, task: Task) -> str:  # noqa: ARG002
        """How people see what went wrong, and what may help."""
        return ""

    def plan(self) -> Flow:
        """Which steps run, in which order. By default all, as written."""
        return sequence(*declaration_of(type(self)).steps)

    def finalize(self) -> JSON:
        """The last step, after all others. Only run where it is overridden."""
        return None


def label_of(action: type[Action]) -> str:
    """As it was given, else module and class."""
    label = declaration_of(action).options.get("label")
    return label or f"{action.__module__}.{action.__qualname__}".removeprefix(FOLDERS)


def has_work(action: type[Action]) -> bool:
    """It has steps, or a plan that may do without."""
    return bool(declaration_of(action).steps) or action.plan is not Action.plan


def words(name: str) -> str:
    """`BackUpSite` and `back_up_site` → `Back up site`; `HTTPCheck` → `HTTP check`."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+", name) or [name]
    first, *others = (part if len(part) > 1 and part.isupper() else part.lower() for part in parts)
    return " ".join((first[:1].upper() + first[1:], *others))


def from_input(action: type[Action], input: dict[str, JSON]) -> Any:
    """An instance made of JSON. What the class has no field for is passed over: the code may have
    changed since the input was given."""
    readers = declaration_of(action).readers
    return action(
        **{
            name: read(input[name]) if read else input[name]
            for name, read in readers.items()
            if name in input
        }
    )


_RESERVED = frozenset(name for name in vars(Action) if not name.startswith("_")) | {"subscribers"}
