"""Actions written as YAML, compiled to the same definition as a Python class (see actions.md).

label: backup.site
title: Back up {site}
input: {site: str, channels: {type: list, default: [ops]}}
locks: ["site:{site}/backup"]
steps:
  dump: {shell: pg_dump "$site" > dump.sql, timeout: 10m}
  copy: {shell: rclone copy dump.sql remote:, retry: {times: 3, delay: 30s}}
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from taskd.actions.options import check_label
from taskd.actions.suggest import did_you_mean
from taskd.catalog.describe import revision_of
from taskd.catalog.schema import find_problem
from taskd.catalog.templates import placeholders
from taskd.catalog.yaml_document import QUOTE, Document, Path, parse
from taskd.model.definition import Broken, Definition, Field, Retry, StepDefinition
from taskd.model.errors import InvalidInput
from taskd.model.interval import parse_interval
from taskd.model.lock import parse_lock
from taskd.model.step import JSON, Rescue
from taskd.step_types import shell

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_LENGTH = {"anyOf": [{"type": "string"}, {"type": "number"}]}
_RESCUE = {"enum": [str(rescue) for rescue in Rescue]}
_RETRY = {
    "type": "object",
    "properties": {
        "times": {"type": "integer"},
        "delay": _LENGTH,
        "factor": {"type": "number"},
        "jitter": {"type": "number"},
    },
    "required": ["times"],
    "additionalProperties": False,
}
_KEYS: dict[str, dict[str, JSON]] = {
    "label": _TEXT,
    "title": _TEXT,
    "input": {"type": "object"},
    "locks": {"type": "array", "items": _TEXT},
    "rescue": _RESCUE,
    "cleanup_after": _LENGTH,
    "cancellable": _FLAG,
    "singleton": _FLAG,
    "steps": {"type": "object"},
}
_STEP_KEYS: dict[str, dict[str, JSON]] = {
    "retry": {"anyOf": [{"type": "integer"}, _RETRY]},
    "timeout": _LENGTH,
    "weight": {"type": "number"},
    "idempotent": _FLAG,
    "rescue": _RESCUE,
    "needs": {"type": "array", "items": _TEXT},
    **shell.FIELDS,
}
_INPUT_KEYS: dict[str, dict[str, JSON]] = {"type": _TEXT, "default": {}}
_TYPES: dict[str, dict[str, JSON]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "list": {"type": "array"},
    "dict": {"type": "object"},
    "secret": {"type": "string", "format": "secret"},
}
_LATER = ("python", "action")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = re.compile(
    r"path|ifs|env|home|shell|pwd|oldpwd|cdpath|shellopts|bashopts|\w+_proxy|(ld|lc|bash|taskd)_\w+"
)
_RESERVED_STEPS = ("plan", "finalize")


def compile_definition(text: str, file: str) -> Definition:
    """Raises InvalidAction, `FILE:LINE: what is wrong and the remedy`.

    The label is the file's name where it has none.
    """
    document = parse(text, file)
    values = _check_keys(document, (), document.value, _KEYS, "an action")
    fields = tuple(_compile_field(document, name) for name in values.get("input", {}))
    steps = _compile_steps(document, values, {field.name for field in fields})
    label = _compile_label(document, values, file)
    return Definition(
        label=label,
        type="yaml",
        title=_check_template(document, ("title",), values.get("title", label), fields),
        steps=steps,
        flow=["sequence", *(step.name for step in steps)],
        fields=fields,
        locks=_compile_locks(document, values, fields),
        rescue=Rescue(values.get("rescue", Rescue.PAUSE)),
        cleanup_after=_compile_period(document, values),
        cancellable=values.get("cancellable", True),
        singleton=values.get("singleton", False),
        file=file,
        line=1,
        revision=revision_of(text.encode("utf-8", "surrogatepass")),
    )


def find_warnings(text: str, file: str) -> list[Broken]:
    """What a readable definition says, but perhaps does not mean."""
    document = parse(text, file)
    return [
        Broken(file, document.line(path), f"' #' begins a comment: the command ends there; {QUOTE}")
        for path in sorted(document.cut, key=document.line)
        if path[-1:] == ("shell",)
    ]


def _check_keys(
    document: Document, path: Path, value: JSON, keys: Mapping[str, JSON], what: str
) -> dict[str, JSON]:
    if not isinstance(value, dict):
        given = "nothing" if value is None else repr(value)
        raise document.refuse(path, f"{what} is a mapping of {', '.join(keys)}, not {given}")
    for key, part in value.items():
        if key not in keys:
            remedy = did_you_mean(key, keys) or f"; there are {', '.join(keys)}"
            raise document.refuse((*path, key), f"{key!r} is no key of {what}{remedy}")
        if problem := find_problem(part, keys[key], key):
            raise document.refuse((*path, key), problem + _hint(part, keys[key]))
    return value


def _hint(value: JSON, schema: Mapping[str, JSON]) -> str:
    """`title: {site}` is a mapping to YAML, `shell: [ -f x ]` a list, `label: 12` a number."""
    return f"; {QUOTE}" if schema == _TEXT and value is not None else ""


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
    _seconds(document, ("cleanup_after",), values["cleanup_after"])
    return str(values["cleanup_after"])


def _seconds(document: Document, path: Path, value: JSON) -> float:
    try:
        seconds = parse_interval(value).total_seconds()
    except (InvalidInput, OverflowError) as error:
        raise document.refuse(path, f"{path[-1]}: {error}") from None
    if seconds < 0:
        raise document.refuse(path, f"{path[-1]}: {value!r} is below 0")
    return seconds


def _compile_field(document: Document, name: str) -> Field:
    path = ("input", name)
    written = document.value["input"][name]
    _check_name(document, path, name, "input")
    if isinstance(written, str):
        written = {"type": written}
    values = _check_keys(document, path, written, _INPUT_KEYS, f"the input {name!r}")
    kind = values.get("type", "str")
    if kind not in _TYPES:
        remedy = did_you_mean(kind, _TYPES) or f"; there are {', '.join(_TYPES)}"
        raise document.refuse(path, f"input {name!r} has the unknown type {kind!r}{remedy}")
    schema = dict(_TYPES[kind])
    if "default" in values and (problem := find_problem(values["default"], schema, "default")):
        raise document.refuse((*path, "default"), f"input {name!r}: {problem}")
    return Field(name, schema, required="default" not in values, default=values.get("default"))


def _check_name(document: Document, path: Path, name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise document.refuse(
            path, f"{what} {name!r}: a name has lower-case letters, digits and _, as in 'site_2'"
        )
    if _RESERVED.fullmatch(name):
        raise document.refuse(
            path, f"{what} {name!r} means something to shells and programs: rename it"
        )


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
        _check_template(document, path, text, fields)
    return tuple(locks)


def _check_template(document: Document, path: Path, template: str, fields: Iterable[Field]) -> str:
    known = {field.name: field for field in fields}
    try:
        names = placeholders(template)
    except InvalidInput as error:
        raise document.refuse(path, str(error)) from None
    for name in names:
        if name not in known:
            raise document.refuse(path, f"{{{name}}} is no input{did_you_mean(name, known)}")
        if known[name].secret:
            raise document.refuse(path, f"{{{name}}} is a secret, which nobody may see")
    return template


def _compile_steps(
    document: Document, values: Mapping[str, JSON], inputs: Iterable[str]
) -> tuple[StepDefinition, ...]:
    written = values.get("steps")
    if not written:
        raise document.refuse(("steps",), "it has no steps: write steps: and below it {name}: …")
    steps: dict[str, StepDefinition] = {}
    for name in written:
        _check_step_name(document, name, inputs)
        steps[name] = _compile_step(document, name, list(steps))
    return tuple(steps.values())


def _check_step_name(document: Document, name: str, inputs: Iterable[str]) -> None:
    path = ("steps", name)
    _check_name(document, path, name, "step")
    if name in inputs:
        raise document.refuse(path, f"{name!r} is both an input and a step: rename one")
    if name in _RESERVED_STEPS:
        raise document.refuse(path, f"step {name!r} is one that every task may have: rename it")


def _compile_step(document: Document, name: str, earlier: list[str]) -> StepDefinition:
    path = ("steps", name)
    written = document.value["steps"][name]
    if isinstance(written, dict) and (later := [key for key in _LATER if key in written]):
        raise document.refuse((*path, later[0]), f"'{later[0]}:' steps are not supported yet")
    if isinstance(written, str):
        raise document.refuse(path, f"step {name!r} is text: write {name}: and below it shell: …")
    values = _check_keys(document, path, written, _STEP_KEYS, f"the step {name!r}")
    if not values.get("shell", "").strip():
        raise document.refuse(path, f"step {name!r} does nothing: write shell: and the command")
    return StepDefinition(
        name=name,
        needs=_compile_needs(document, path, values, earlier),
        retry=_compile_retry(document, (*path, "retry"), values.get("retry", 0)),
        timeout=_compile_timeout(document, (*path, "timeout"), values),
        weight=_at_least_zero(document, (*path, "weight"), values.get("weight", 1.0)),
        idempotent=values.get("idempotent", False),
        rescue=Rescue(values["rescue"]) if "rescue" in values else None,
        command=shell.compile_step(values),
    )


def _compile_needs(
    document: Document, path: Path, values: Mapping[str, JSON], earlier: list[str]
) -> tuple[str, ...]:
    """As written, else the earlier steps that the command names."""
    if "needs" not in values:
        return shell.find_needs(values, earlier)
    for need in values["needs"]:
        if need not in earlier:
            remedy = did_you_mean(need, earlier)
            raise document.refuse(
                (*path, "needs"), f"{path[-1]} needs {need!r}, which is no earlier step{remedy}"
            )
    return tuple(dict.fromkeys(values["needs"]))


def _compile_retry(document: Document, path: Path, written: JSON) -> Retry:
    values = {"times": written} if isinstance(written, int) else written
    for key in ("times", "factor", "jitter"):
        _at_least_zero(document, path, values.get(key, 0))
    return Retry(
        times=values["times"],
        delay=_seconds(document, (*path, "delay"), values.get("delay", 0)),
        factor=float(values.get("factor", 1.0)),
        jitter=float(values.get("jitter", 0.0)),
    )


def _compile_timeout(document: Document, path: Path, values: Mapping[str, JSON]) -> float | None:
    if "timeout" not in values:
        return None
    seconds = _seconds(document, path, values["timeout"])
    if not seconds:
        raise document.refuse(path, "timeout: it must be above 0; leave it out for none")
    return seconds


def _at_least_zero(document: Document, path: Path, value: float) -> float:
    if value < 0:
        raise document.refuse(path, f"{path[-1]}: {value!r} is below 0")
    return value
