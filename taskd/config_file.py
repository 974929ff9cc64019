"""The configuration file as text values, each with the line that it stands on.

A scalar stays the text that was written, so that a value means the same here and in an environment
variable, and YAML's own guesses (`NO` is false, `12:30` is 750) play no part.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

import yaml

from taskd.model.errors import StoreError

NOT_YET = ("notify", "cleanup", "roles", "grants")
SECTIONS = ("settings", *NOT_YET)
Text: TypeAlias = str | list[str] | dict[str, str]


@dataclass(frozen=True)
class Given:
    """A value and where it was given: `/etc/taskd/taskd.yaml:3` or an environment variable."""

    value: Text
    where: str


def read_settings(path: Path) -> dict[str, Given]:
    """The section `settings` of the file; nothing if there is no file. Raises StoreError."""
    settings: dict[str, Given] = {}
    for section, value in _sections(path):
        if section.value not in SECTIONS:
            raise _wrong(path, section, f"unknown section {section.value!r}{_guess(section.value)}")
        if section.value == "settings":
            settings = {
                key.value: Given(_text(path, key, item), f"{path}:{_line(key)}")
                for key, item in _pairs(path, value, "settings")
            }
    return settings


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


def _guess(section: str) -> str:
    close = get_close_matches(section, SECTIONS, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(SECTIONS)}"


def _wrong(path: Path, node: yaml.Node, message: str) -> StoreError:
    return StoreError(f"{path}:{_line(node)}: {message}")
