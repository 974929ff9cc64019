"""YAML as people mean it: `no` is text, a key stands once, every value knows its line."""

import re
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from taskd.model.errors import InvalidAction
from taskd.model.step import JSON

Path: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 1024 * 1024
MAX_NODES = 10_000  # counted after aliases are followed
MAX_DEPTH = 50
QUOTE = "quote it, or use |"


class _Loader(yaml.CSafeLoader):
    """Only what YAML 1.2 calls null, true, false and decimal numbers is no text."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"(~|null|Null|NULL|)", "~nN"),
    ("bool", r"(true|True|TRUE|false|False|FALSE)", "tTfF"),
    ("int", r"[-+]?[0-9]{1,300}", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]{1,3})?",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern + r"\Z"), [*_first, ""])

_TAGS = (
    "null",
    "bool",
    "int",
    "float",
    *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")),
)


@dataclass
class Document:
    """`cut` are the values after which a comment follows on their line."""

    file: str
    value: JSON = None
    lines: dict[Path, int] = field(default_factory=dict)
    cut: set[Path] = field(default_factory=set)

    def line(self, path: Path) -> int:
        """That of the value, else of what it would be in."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def refuse(self, path: Path, text: str) -> InvalidAction:
        return InvalidAction(text, file=self.file, line=self.line(path))


def parse(text: str, file: str) -> Document:
    """Raises InvalidAction with the line and the remedy."""
    if len(text) > MAX_BYTES:
        raise InvalidAction(f"it is larger than {MAX_BYTES // 1024} KiB", file=file, line=1)
    _check_nesting(text, file)
    reading = _Reading(text, Document(file))
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise _explain(error, text, file) from None
    except yaml.YAMLError as error:
        raise InvalidAction(f"cannot be read as YAML: {error}", file=file, line=1) from None
    if node is not None:
        reading.document.value = reading.read(node, ())
    return reading.document


class _Reading:
    def __init__(self, text: str, document: Document) -> None:
        self.source = text.splitlines()
        self.document = document
        self.nodes = 0

    def read(self, node: yaml.Node, path: Path) -> JSON:
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        self.nodes += 1
        if self.nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise self.document.refuse(path, "it is too large once its aliases are followed")
        if node.tag not in _TAGS:
            raise self.document.refuse(path, f"the tag {node.tag} means nothing here: {QUOTE}")
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, i)) for i, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._read_scalar(node, path)

    def _read_mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, JSON]:
        mapping: dict[str, JSON] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._refuse(line, f"a key is no text: {QUOTE}")
            key = str(key_node.value)
            if key in mapping:
                first = self.document.lines[(*path, key)]
                raise self._refuse(
                    line, f"{key!r} stands here again, first in line {first}: remove one"
                )
            self.document.lines[(*path, key)] = line
            mapping[key] = self.read(value_node, (*path, key))
        return mapping

    def _read_scalar(self, node: yaml.ScalarNode, path: Path) -> JSON:
        if not node.style and node.end_mark.line < len(self.source):
            rest = self.source[node.end_mark.line][node.end_mark.column :]
            if rest.lstrip().startswith("#"):
                self.document.cut.add(path)
        match node.tag:
            case "null":
                return None
            case "bool":
                return node.value.lower() == "true"
            case "int":
                return int(node.value)
            case "float":
                return float(node.value)
        return str(node.value)

    def _refuse(self, line: int, text: str) -> InvalidAction:
        return InvalidAction(text, file=self.document.file, line=line)


def _check_nesting(text: str, file: str) -> None:
    """The parser is recursive in C: it would take the process down."""
    depth = 0
    for match in re.finditer(r"[\[{]|[\]}]|^(?:[ \t]*[-?:](?=\s))+", text, re.MULTILINE):
        token = match[0]
        depth += 1 if token in "[{" else -1 if token in "]}" else 0
        dashes = sum(token.count(mark) for mark in "-?:")
        if max(depth, dashes) > 10 * MAX_DEPTH:
            line = text.count("\n", 0, match.start()) + 1
            raise InvalidAction("it is nested too deeply", file=file, line=line)


def _explain(error: yaml.MarkedYAMLError, text: str, file: str) -> InvalidAction:
    mark = error.problem_mark or error.context_mark
    source = text.splitlines()
    number = min(mark.line if mark else 0, max(len(source) - 1, 0))
    remedy = _remedy(source, number)
    problem = error.problem or "it cannot be read"
    return InvalidAction(f"cannot be read as YAML: {problem}{remedy}", file=file, line=number + 1)


def _remedy(source: list[str], number: int) -> str:
    """What people mean by a line that YAML cannot read; the line before it counts too, since an
    error is often found only where the next key begins."""
    for line in (source[number : number + 1] or [""]) + source[max(number - 1, 0) : number]:
        if re.match(r" *\t", line):
            return "; indent with spaces: YAML allows no tabs"
        if re.search(r"(?::|-)\s+[{\[\"'@`%&*!|>]", line) or re.search(r":\s.*:(\s|$)", line):
            return f"; {QUOTE}"
    return ""
