"""What an action class declares, collected and checked once, at import.

Every refusal names file, line and class, and says what to write instead.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any, ClassVar, get_origin, get_type_hints

from taskd.actions.hooks import hook_of
from taskd.actions.options import OPTIONS, Options, read_options
from taskd.actions.place import Place
from taskd.actions.reading import Reader, reader_of
from taskd.actions.step import plain_step, step_of
from taskd.actions.types import default_of, is_required, is_secret, schema_of_field
from taskd.model.definition import Field, Hook, StepDefinition
from taskd.model.suggest import did_you_mean


@dataclasses.dataclass(frozen=True)
class Declaration:
    """`kinds` are the Python types of the fields; `readers` make such a value of its JSON, for
    those fields that are not JSON already."""

    place: Place
    options: Options
    kinds: dict[str, Any]
    fields: tuple[Field, ...]
    readers: dict[str, Reader | None]
    steps: dict[str, StepDefinition]
    finalize: StepDefinition | None
    hooks: dict[str, Hook]


def declare(
    action: type, place: Place, frame: FrameType, given: Mapping[str, Any], reserved: frozenset[str]
) -> Declaration:
    """Makes a dataclass of `action`. Raises InvalidAction.

    `frame` runs the class statement; `reserved` are the names that mean something in every action.
    """
    options = _inherited_options(action) | read_options(given, place)
    own = _own_kinds(action, place, frame)
    _check_attributes(action, place, own, reserved)
    steps = _steps(action, place, own, reserved)
    _check_needs(action, place, steps, _inherited_kinds(action) | own)
    _make_dataclass(action, place)
    kinds = {
        field.name: (_inherited_kinds(action) | own)[field.name]
        for field in dataclasses.fields(action)
    }
    return Declaration(
        place=place,
        options=Options(**options),
        kinds=kinds,
        fields=tuple(_fields(action, place, kinds)),
        readers={name: reader_of(kind) for name, kind in kinds.items()},
        steps=steps,
        finalize=_finalize(action, place),
        hooks=_hooks(action),
    )


def declaration_of(action: type) -> Declaration:
    declaration: Declaration = vars(action)["__declaration__"]
    return declaration


def _declared_bases(action: type) -> Iterator[Declaration]:
    for base in reversed(action.__mro__[1:]):
        if "__declaration__" in vars(base):
            yield declaration_of(base)


def _inherited_options(action: type) -> Options:
    """A label is of one class alone."""
    options: Options = {}
    for declaration in _declared_bases(action):
        options |= declaration.options
    options.pop("label", None)
    return options


def _inherited_kinds(action: type) -> dict[str, Any]:
    return {k: v for declaration in _declared_bases(action) for k, v in declaration.kinds.items()}


def _own_kinds(action: type, place: Place, frame: FrameType) -> dict[str, Any]:
    """The types of the fields that the class body itself declares."""
    annotations = vars(action).get("__annotations__", {})
    stand_in = type(action.__name__, (), {"__annotations__": annotations})
    try:
        kinds = get_type_hints(stand_in, frame.f_globals, frame.f_locals, include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError) as error:
        raise place.refuse(f"a type cannot be read: {error}: import or define it above") from None
    return {k: v for k, v in kinds.items() if v is not ClassVar and get_origin(v) is not ClassVar}


def _check_attributes(
    action: type, place: Place, own: Mapping[str, Any], reserved: frozenset[str]
) -> None:
    for name in own:
        if name in reserved or name in OPTIONS:
            raise place.of(name).refuse(_taken("input", name))
        if name.startswith("_"):
            raise place.of(name).refuse(f"input {name!r} starts with '_': rename it")
    for name, value in vars(action).items():
        if name not in own and not name.startswith("_") and not step_of(value):
            _check_attribute(name, value, place, reserved)


def _check_attribute(name: str, value: object, place: Place, reserved: frozenset[str]) -> None:
    if name in OPTIONS:
        raise place.of(name).refuse(
            f"{name!r} is an option: write class {place.owner}(Action, {name}=…)"
        )
    if name in reserved and (name == "task" or not callable(value)):
        raise place.of(name).refuse(
            f"{name!r} is handed in by the run: rename it"
            if name == "task"
            else f"{name!r} is a method: write def {name}(self)"
        )
    is_plain = not (callable(value) or hasattr(type(value), "__get__"))
    if is_plain and name.islower():
        option = did_you_mean(name, OPTIONS)
        if option:
            raise place.of(name).refuse(
                f"{name!r} looks like an option{option} Options are keywords of the class"
            )
        raise place.of(name).refuse(
            f"{name!r} has no type: write {name}: {type(value).__name__} = … if it is an input, "
            f"{name.upper()} if it is a constant"
        )


def _steps(
    action: type, place: Place, own: Mapping[str, Any], reserved: frozenset[str]
) -> dict[str, StepDefinition]:
    """Those of base classes first. An overriding step keeps its place in the order."""
    steps: dict[str, StepDefinition] = {}
    for cls in reversed(action.__mro__):
        for name, value in vars(cls).items():
            step = step_of(value)
            if step and name != "finalize":
                steps[name] = dataclasses.replace(step, name=name)
            elif name in steps and cls is action:
                raise place.of(name).refuse(
                    f"{name!r} overrides a step and is none: put @step above it"
                )
    for name in steps:
        _check_step_name(action, name, place, own, reserved)
    return steps


def _check_step_name(
    action: type, name: str, place: Place, own: Mapping[str, Any], reserved: frozenset[str]
) -> None:
    if name in reserved or name in OPTIONS:
        raise place.of(name).refuse(_taken("step", name))
    if name.startswith("_"):
        raise place.of(name).refuse(f"step {name!r} starts with '_': rename it")
    if name in own or name in _inherited_kinds(action):
        raise place.of(name).refuse(f"{name!r} is both an input and a step: rename one")


def _check_needs(
    action: type, place: Place, steps: Mapping[str, StepDefinition], kinds: Mapping[str, Any]
) -> None:
    earlier: list[str] = []
    for name, step in steps.items():
        for need in step.needs:
            if need not in earlier:
                raise place.of(name).refuse(
                    f"{name} needs {need!r}, {_why_not(need, name, earlier, action, steps, kinds)}"
                )
        earlier.append(name)


def _why_not(
    need: str,
    name: str,
    earlier: list[str],
    action: type,
    steps: Mapping[str, StepDefinition],
    kinds: Mapping[str, Any],
) -> str:
    if need == name:
        return "which is itself"
    if need in steps:
        return f"which comes later: write it above {name}"
    if need in kinds:
        return f"which is an input: use self.{need}"
    if callable(getattr(action, need, None)):
        return f"which is a method, but no step: put @step above def {need}"
    return f"which is not a step{did_you_mean(need, earlier)}"


def _make_dataclass(action: type, place: Place) -> None:
    doc = action.__doc__
    try:
        dataclasses.dataclass(frozen=True, kw_only=True, repr=False)(action)
    except (TypeError, ValueError) as error:
        raise place.refuse(str(error)) from None
    action.__doc__ = doc  # where there was none, it now tells of the constructor


def _fields(action: Any, place: Place, kinds: Mapping[str, Any]) -> Iterator[Field]:
    for field in dataclasses.fields(action):
        try:
            yield Field(
                name=field.name,
                schema=schema_of_field(kinds[field.name]),
                required=is_required(field),
                default=default_of(field),
            )
            if is_secret(kinds[field.name]) and default_of(field):
                raise TypeError(
                    "a secret has no default: it would stand in the file for all to see"
                )
        except TypeError as error:
            raise place.of(field.name).refuse(f"input {field.name!r}: {error}") from None


def _hooks(action: type) -> dict[str, Hook]:
    """Those of base classes, too, unless the class has another method of that name."""
    names = {name: None for cls in reversed(action.__mro__) for name in vars(cls)}
    found = {name: hook_of(getattr(action, name, None)) for name in names}
    return {name: dataclasses.replace(hook, name=name) for name, hook in found.items() if hook}


def _finalize(action: type, place: Place) -> StepDefinition | None:
    """None where no class but `Action` itself has a `finalize`."""
    method: Callable[..., Any] = getattr(action, "finalize")  # noqa: B009
    if method.__module__ == "taskd.actions.action":
        return None
    step = plain_step(method)
    if step.needs:
        raise place.of("finalize").refuse(
            f"finalize takes {', '.join(step.needs)}: write def finalize(self)"
        )
    return step


def _taken(what: str, name: str) -> str:
    if name in OPTIONS and what == "input":
        remedy = f"rename it, or write class …(Action, {name}=…)"
        return f"input {name!r} has the name of an option: {remedy}"
    return f"{what} {name!r} has the name of something of Action: rename it"
