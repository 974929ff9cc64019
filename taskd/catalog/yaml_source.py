"""Actions written as YAML, compiled to the same definition as a Python class (see actions.md).

label: backup.site
title: Back up {site}
input: {site: str, channels: {type: list, default: [ops]}}
locks: ["site:{site}/backup"]
steps:
  dump: {shell: pg_dump "$site" > dump.sql, timeout: 10m}
  copy: {shell: rclone copy dump.sql remote:, retry: {times: 3, delay: 30s}}
"""

from collections.abc import Iterable, Mapping
from pathlib import PurePath

from taskd.actions.options import check_label
from taskd.catalog.describe import revision_of
from taskd.catalog.schema import find_problem
from taskd.catalog.yaml_checks import (
    FLAG,
    LENGTH,
    ON_CONFLICT,
    RESCUE,
    TEXT,
    check_keys,
    check_name,
    check_template,
    seconds,
)
from taskd.catalog.yaml_document import Document, parse
from taskd.catalog.yaml_steps import compile_steps
from taskd.model.definition import Definition, Field
from taskd.model.errors import InvalidInput
from taskd.model.lock import parse_lock
from taskd.model.step import JSON, Rescue
from taskd.model.suggest import did_you_mean
from taskd.model.task import OnConflict

_KEYS: dict[str, dict[str, JSON]] = {
    "label": TEXT,
    "title": TEXT,
    "input": {"type": "object"},
    "locks": {"type": "array", "items": TEXT},
    "rescue": RESCUE,
    "cleanup_after": LENGTH,
    "cancellable": FLAG,
    "singleton": FLAG,
    "on_conflict": ON_CONFLICT,
    "subscribes_to": TEXT,
    "steps": {"type": "object"},
}
_INPUT_KEYS: dict[str, dict[str, JSON]] = {"type": TEXT, "default": {}}
_TYPES: dict[str, dict[str, JSON]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "list": {"type": "array"},
    "dict": {"type": "object"},
    "secret": {"type": "string", "format": "secret"},
}


def compile_definition(text: str, file: str) -> Definition:
    """Raises InvalidAction, `FILE:LINE: what is wrong and the remedy`.

    The label is the file's name where it has none.
    """
    document = parse(text, file)
    values = check_keys(document, (), document.value, _KEYS, "an action")
    fields = tuple(_compile_field(document, name) for name in values.get("input", {}))
    steps = compile_steps(document, values, fields)
    label = _compile_label(document, values, file)
    return Definition(
        label=label,
        type="yaml",
        title=check_template(document, ("title",), values.get("title", label), fields),
        steps=steps,
        flow=["sequence", *(step.name for step in steps)],
        fields=fields,
        locks=_compile_locks(document, values, fields),
        rescue=Rescue(values.get("rescue", Rescue.PAUSE)),
        cleanup_after=_compile_period(document, values),
        cancellable=values.get("cancellable", True),
        singleton=values.get("singleton", False),
        on_conflict=OnConflict(values.get("on_conflict", OnConflict.PAUSE)),
        subscribes_to=values.get("subscribes_to"),
        file=file,
        line=1,
        revision=revision_of(text.encode("utf-8", "surrogatepass")),
    )


def _compile_label(document: Document, values: Mapping[str, JSON], file: str) -> str:
    label = values.get("label", PurePath(file).stem)
    try:
        return check_label(label)
    except ValueError as error:
        remedy = "" if "label" in values else ": write label: at the top"
        raise document.refuse(("label",), f"{label!r} is no label: {error}{remedy}") from None


def _compile_period(document: Document, values: Mapping[str, JSON]) -> str | None:
    if "cleanup_after" not in values:
        return None
    seconds(document, ("cleanup_after",), values["cleanup_after"])
    return str(values["cleanup_after"])


def _compile_field(document: Document, name: str) -> Field:
    path = ("input", name)
    written = document.value["input"][name]
    check_name(document, path, name, "input")
    if isinstance(written, str):
        written = {"type": written}
    values = check_keys(document, path, written, _INPUT_KEYS, f"the input {name!r}")
    kind = values.get("type", "str")
    if kind not in _TYPES:
        remedy = did_you_mean(kind, _TYPES) or f"; there are {', '.join(_TYPES)}"
        raise document.refuse(path, f"input {name!r} has the unknown type {kind!r}{remedy}")
    schema = dict(_TYPES[kind])
    if "default" in values and (problem := find_problem(values["default"], schema, "default")):
        raise document.refuse((*path, "default"), f"input {name!r}: {problem}")
    return Field(name, schema, required="default" not in values, default=values.get("default"))


def _compile_locks(
    document: Document, values: Mapping[str, JSON], fields: Iterable[Field]
) -> tuple[str, ...]:
    locks: list[str] = values.get("locks", [])
    for number, text in enumerate(locks):
        path = ("locks", number)
        try:
            parse_lock(text)
        except InvalidInput as error:
            raise document.refuse(path, str(error)) from None
        check_template(document, path, text, fields)
    return tuple(locks)
