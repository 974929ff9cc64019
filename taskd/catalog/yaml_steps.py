"""The steps of a YAML action. What is special to a kind of step is in `step_types/`."""

import pkgutil
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from taskd import step_types
from taskd.actions.retries import check_retry
from taskd.actions.step import MAX_WEIGHT
from taskd.catalog.yaml_checks import (
    FLAG,
    LENGTH,
    RESCUE,
    TEXT,
    at_least_zero,
    check_keys,
    check_name,
    check_placeholders,
    seconds,
)
from taskd.catalog.yaml_document import Document, Path
from taskd.model.definition import Field, Retry, StepDefinition
from taskd.model.errors import InvalidInput
from taskd.model.step import JSON, Rescue
from taskd.model.suggest import did_you_mean

_KINDS: dict[str, Any] = {
    found.name: import_module(f"{step_types.__name__}.{found.name}")
    for found in pkgutil.iter_modules(step_types.__path__)
}
_RETRY = {
    "type": "object",
    "properties": {
        "times": {"type": "integer"},
        "delay": LENGTH,
        "factor": {"type": "number"},
        "jitter": {"type": "number"},
    },
    "required": ["times"],
    "additionalProperties": False,
}
_STEP_KEYS: dict[str, dict[str, JSON]] = {
    "retry": {"anyOf": [{"type": "integer"}, _RETRY]},
    "timeout": LENGTH,
    "weight": {"type": "number"},
    "idempotent": FLAG,
    "rescue": RESCUE,
    "needs": {"type": "array", "items": TEXT},
}
_ALL_FIELDS = {key: schema for kind in _KINDS.values() for key, schema in kind.FIELDS.items()}
_RESERVED_STEPS = ("plan", "finalize", "subscribers")


def compile_steps(
    document: Document, values: Mapping[str, JSON], fields: Iterable[Field]
) -> tuple[StepDefinition, ...]:
    written = values.get("steps")
    if not written:
        raise document.refuse(("steps",), "it has no steps: write steps: and below it {name}: …")
    steps: dict[str, StepDefinition] = {}
    for name in written:
        _check_step_name(document, name, [field.name for field in fields])
        steps[name] = _compile_step(document, name, fields, list(steps))
    return tuple(steps.values())


def _check_step_name(document: Document, name: str, inputs: Iterable[str]) -> None:
    path = ("steps", name)
    check_name(document, path, name, "step")
    if name in inputs:
        raise document.refuse(path, f"{name!r} is both an input and a step: rename one")
    if name in _RESERVED_STEPS:
        raise document.refuse(path, f"step {name!r} is one that every task may have: rename it")


def _compile_step(
    document: Document, name: str, fields: Iterable[Field], earlier: list[str]
) -> StepDefinition:
    path = ("steps", name)
    written = document.value["steps"][name]
    if isinstance(written, str):
        raise document.refuse(path, f"step {name!r} is text: write {name}: and below it shell: …")
    kind = _kind(document, path, written)
    keys = _STEP_KEYS | (kind.FIELDS if kind else _ALL_FIELDS)
    values = check_keys(document, path, written, keys, f"the step {name!r}")
    if kind is None:
        raise document.refuse(path, f"step {name!r} does nothing: write shell: and the command")
    _check_names(document, path, kind, values, fields, earlier)
    try:
        own = kind.compile_step(values)
    except ValueError as error:
        raise document.refuse(path, f"step {name!r}: {error}") from None
    return StepDefinition(
        name=name,
        needs=_compile_needs(document, path, kind, values, earlier),
        retry=_compile_retry(document, (*path, "retry"), values.get("retry", 0)),
        timeout=_compile_timeout(document, (*path, "timeout"), values),
        weight=_compile_weight(document, (*path, "weight"), values.get("weight", 1.0)),
        idempotent=values.get("idempotent", False),
        rescue=Rescue(values["rescue"]) if "rescue" in values else None,
        **own,
    )


def _kind(document: Document, path: Path, written: JSON) -> Any:
    """The module of its kind of step; None where it has none."""
    found = [key for key in _KINDS if isinstance(written, dict) and key in written]
    if len(found) > 1:
        raise document.refuse(path, f"step {path[-1]!r} has {' and '.join(found)}: choose one")
    return _KINDS[found[0]] if found else None


def _check_names(
    document: Document,
    path: Path,
    kind: Any,
    values: Mapping[str, JSON],
    fields: Iterable[Field],
    earlier: list[str],
) -> None:
    try:
        for key, names in kind.find_names(values):
            check_placeholders(document, (*path, key), names, fields, earlier)
    except InvalidInput as error:
        raise document.refuse(path, error.message) from None


def _compile_needs(
    document: Document, path: Path, kind: Any, values: Mapping[str, JSON], earlier: list[str]
) -> tuple[str, ...]:
    """As written, else the earlier steps that it names."""
    if "needs" not in values:
        return tuple(kind.find_needs(values, earlier))
    for need in values["needs"]:
        if need not in earlier:
            remedy = did_you_mean(need, earlier)
            raise document.refuse(
                (*path, "needs"), f"{path[-1]} needs {need!r}, which is no earlier step{remedy}"
            )
    return tuple(dict.fromkeys(values["needs"]))


def _compile_retry(document: Document, path: Path, written: JSON) -> Retry:
    values = {"times": written} if isinstance(written, int) else written
    retry = Retry(
        times=values["times"],
        delay=seconds(document, (*path, "delay"), values.get("delay", 0)),
        factor=float(values.get("factor", 1.0)),
        jitter=float(values.get("jitter", 0.0)),
    )
    try:
        return check_retry(retry)
    except ValueError as error:
        raise document.refuse(path, f"retry: {error}") from None


def _compile_weight(document: Document, path: Path, weight: float) -> float:
    if weight >= MAX_WEIGHT:
        raise document.refuse(path, f"weight: {weight!r} is too much: at most {MAX_WEIGHT:g}")
    return at_least_zero(document, path, weight)


def _compile_timeout(document: Document, path: Path, values: Mapping[str, JSON]) -> float | None:
    if "timeout" not in values:
        return None
    timeout = seconds(document, path, values["timeout"])
    if not timeout:
        raise document.refuse(path, "timeout: it must be above 0; leave it out for none")
    return timeout
