"""What all parts of a YAML action are checked for; each refusal names file, line and remedy."""

import re
from collections.abc import Iterable, Mapping

from taskd.catalog.schema import find_problem
from taskd.catalog.yaml_document import QUOTE, Document, Path
from taskd.model.definition import Field
from taskd.model.errors import InvalidInput
from taskd.model.interval import parse_interval
from taskd.model.step import JSON, Rescue
from taskd.model.suggest import did_you_mean
from taskd.model.task import OnConflict
from taskd.model.template import placeholders

TEXT: dict[str, JSON] = {"type": "string"}
FLAG: dict[str, JSON] = {"type": "boolean"}
LENGTH: dict[str, JSON] = {"anyOf": [{"type": "string"}, {"type": "number"}]}
RESCUE: dict[str, JSON] = {"enum": [str(rescue) for rescue in Rescue]}
ON_CONFLICT: dict[str, JSON] = {"enum": [str(choice) for choice in OnConflict]}

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = re.compile(
    r"path|ifs|env|home|shell|pwd|oldpwd|cdpath|shellopts|bashopts|\w+_proxy|(ld|lc|bash|taskd)_\w+"
)


def check_keys(
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
    return f"; {QUOTE}" if schema == TEXT and value is not None else ""


def check_name(document: Document, path: Path, name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise document.refuse(
            path, f"{what} {name!r}: a name has lower-case letters, digits and _, as in 'site_2'"
        )
    if _RESERVED.fullmatch(name):
        raise document.refuse(
            path, f"{what} {name!r} means something to shells and programs: rename it"
        )


def check_template(document: Document, path: Path, template: str, fields: Iterable[Field]) -> str:
    """`{name}` of inputs may stand in it."""
    try:
        check_placeholders(document, path, placeholders(template), fields)
    except InvalidInput as error:
        raise document.refuse(path, str(error)) from None
    return template


def check_placeholders(
    document: Document,
    path: Path,
    names: Iterable[str],
    fields: Iterable[Field],
    steps: Iterable[str] = (),
) -> None:
    """Each is an input that people may see, or one of `steps`."""
    known = {field.name: field for field in fields}
    what = "no input and no earlier step" if steps else "no input"
    for name in names:
        if name in known and known[name].secret:
            raise document.refuse(path, f"{{{name}}} is a secret, which nobody may see")
        if name not in known and name not in steps:
            meant = did_you_mean(name, [*known, *steps])
            raise document.refuse(path, f"{{{name}}} is {what}{meant}")


def seconds(document: Document, path: Path, value: JSON) -> float:
    try:
        length = parse_interval(value).total_seconds()
    except (InvalidInput, OverflowError) as error:
        raise document.refuse(path, f"{path[-1]}: {error}") from None
    return at_least_zero(document, path, length)


def at_least_zero(document: Document, path: Path, value: float) -> float:
    if value < 0:
        raise document.refuse(path, f"{path[-1]}: {value!r} is below 0")
    return value
