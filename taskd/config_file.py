"""The configuration file as text values, each with the line that it stands on.

A scalar stays the text that was written, so that a value means the same here and in an environment
variable, and YAML's own guesses (`NO` is false, `12:30` is 750) play no part.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

import yaml

from taskd.model.errors import InvalidInput, StoreError

NOT_YET = ("roles", "grants")
SECTIONS = ("settings", "notify", "cleanup", *NOT_YET)
REMEDY = "put it right; taskd check tells whether it is"
Text: TypeAlias = str | list[str] | dict[str, str]

_KINDS = {list: "list", dict: "mapping"}


@dataclass(frozen=True)
class Given:
    """A value and where it was given: `/etc/taskd/taskd.yaml:3` or an environment variable."""

    value: Text
    where: str


@dataclass(frozen=True)
class GivenRule:
    """An item of a section that is a list: its values by name, and where it begins."""

    values: dict[str, Given]
    where: str


def one_value(text: Text) -> str:
    """Raises InvalidInput where it is several."""
    if not isinstance(text, str):
        raise InvalidInput(f"it is a {_KINDS[type(text)]}: expected one value")
    return text


def guess(word: str, known: Iterable[str]) -> str:
    """What else may have been meant, to be put behind a message."""
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"


def read_settings(path: Path) -> dict[str, Given]:
    """The section `settings` of the file; nothing if there is no file. Raises StoreError."""
    settings: dict[str, Given] = {}
    for section, value in _sections(path):
        if section.value not in SECTIONS:
            raise _wrong(
                path, section, f"unknown section {section.value!r}{guess(section.value, SECTIONS)}"
            )
        if section.value == "settings":
            settings = _values(path, value, "settings")
    return settings


def read_rules(path: Path, *names: str) -> list[GivenRule]:
    """The list of mappings that is found by these keys, each below the one before; nothing if there
    is none. Raises StoreError."""
    return [
        GivenRule(_values(path, item, f"an item of {key.value}"), f"{path}:{_line(item)}")
        for key, value in _find(path, names)
        for item in _items(path, value, key.value)
    ]


def read_mapping(path: Path, *names: str, nested: Collection[str] = ()) -> GivenRule | None:
    """The mapping that is found by these keys, but for those of its own keys that are `nested`.

    None if there is none. Raises StoreError.
    """
    for key, value in _find(path, names):
        return GivenRule(_values(path, value, key.value, nested), f"{path}:{_line(key)}")
    return None


def find_unused(path: Path) -> list[str]:
    """A line for each section that has no effect in this version. Raises StoreError."""
    return [
        f"{path}:{_line(section)}: the section {section.value!r} has no effect in this version"
        for section, _ in _sections(path)
        if section.value in NOT_YET
    ]


def _sections(path: Path) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        return
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise StoreError(f"{path}{line}: this is no YAML: {error.problem}") from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, yaml.YAMLError) as error:
        raise StoreError(f"cannot read {path}: {error}") from None
    if root is not None:
        yield from _pairs(path, root, "the file")


def _find(path: Path, names: Sequence[str]) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """The key and what stands there; an empty list where it is not there."""
    first, *others = names
    found = [pair for pair in _sections(path) if pair[0].value == first]
    for name in others:
        found = [
            pair
            for key, value in found
            for pair in _pairs(path, value, key.value)
            if pair[0].value == name
        ]
    return found


def _pairs(path: Path, node: yaml.Node, what: str) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Keys and values of a mapping; an empty one may be left out. No key may stand there twice."""
    if isinstance(node, yaml.ScalarNode) and not node.value:
        return
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(path, node, f"{what} must be a mapping, as in 'name: value'")
    seen: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _wrong(path, key, "a key must be a plain name")
        if first := seen.get(key.value):
            raise _wrong(
                path, key, f"{key.value!r} stands here twice, first in line {_line(first)}"
            )
        seen[key.value] = key
        yield key, value


def _items(path: Path, node: yaml.Node, what: str) -> list[yaml.Node]:
    """Of a list; an empty one may be left out."""
    if isinstance(node, yaml.ScalarNode) and not node.value:
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise _wrong(path, node, f"{what} must be a list, as in '- name: value'")
    return list(node.value)


def _values(
    path: Path, node: yaml.Node, what: str, nested: Collection[str] = ()
) -> dict[str, Given]:
    return {
        key.value: Given(_text(path, key, item), f"{path}:{_line(key)}")
        for key, item in _pairs(path, node, what)
        if key.value not in nested
    }


def _text(path: Path, key: yaml.ScalarNode, node: yaml.Node) -> Text:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        if all(isinstance(item, yaml.ScalarNode) for item in node.value):
            return [str(item.value) for item in node.value]
        raise _wrong(path, node, f"the items of {key.value!r} must be plain values")
    pairs = {name.value: value for name, value in _pairs(path, node, key.value)}
    if all(isinstance(value, yaml.ScalarNode) for value in pairs.values()):
        return {name: str(value.value) for name, value in pairs.items()}
    raise _wrong(path, node, f"the values of {key.value!r} must be plain ones")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _wrong(path: Path, node: yaml.Node, message: str) -> StoreError:
    return StoreError(f"{path}:{_line(node)}: {message}")
