"""What readable action files say, but perhaps do not mean."""

import ast
import inspect
from collections.abc import Collection, Iterable, Iterator

from taskd.actions.action import Action
from taskd.actions.declaration import declaration_of
from taskd.actions.hooks import hook_of
from taskd.actions.step import step_of
from taskd.catalog.python_source import find_action
from taskd.catalog.yaml_document import QUOTE, Document, parse
from taskd.model.definition import Broken, Definition
from taskd.model.suggest import did_you_mean
from taskd.step_types import shell


def in_yaml(text: str, file: str) -> Iterator[Broken]:
    """Of a definition that can be compiled."""
    document = parse(text, file)
    for path in sorted(document.cut, key=document.line):
        if path[-1:] == ("shell",):
            told = f"' #' begins a comment: the command ends there; {QUOTE}"
            yield Broken(file, document.line(path), told)
    yield from _misspelt_variables(document)


def in_python(found: Iterable[Definition | Broken], source: bytes) -> Iterator[Broken]:
    """Of the actions in a file that could be imported."""
    definitions = [each for each in found if isinstance(each, Definition)]
    used = _names(source) if definitions else []
    for definition in definitions:
        yield from _idle_methods(find_action(definition.module, definition.name), used)


def in_catalog(definitions: Collection[Definition]) -> Iterator[Broken]:
    """Of all that could be read."""
    known = {definition.label: definition for definition in definitions}
    for each in definitions:
        if not each.subscribes_to:
            continue
        told = f"{each.label} subscribes to {each.subscribes_to!r}, which "
        if target := known.get(each.subscribes_to):
            given = [field.name for field in target.fields]
            for name in [f.name for f in each.fields if f.required and f.name not in given]:
                yield Broken(
                    each.file, each.line, f"{told}has no input {name!r}: give it a default"
                )
        else:
            remedy = did_you_mean(each.subscribes_to, known)
            yield Broken(each.file, each.line, f"{told}is no action{remedy}")


def _misspelt_variables(document: Document) -> Iterator[Broken]:
    known = list(document.value.get("input") or ())
    for name, step in document.value["steps"].items():
        line = step.get("shell", "")
        for variable in shell.find_unset(line, (*known, *step.get("env", ()))):
            if meant := did_you_mean(variable, known):
                told = f"${variable} is no input and no earlier step{meant}"
                yield Broken(document.file, document.line(("steps", name, "shell")), told)
        known.append(name)


def _idle_methods(action: type[Action], used: list[str]) -> Iterator[Broken]:
    """Those that look like steps: public, new in this class, and called by nothing in the file."""
    place = declaration_of(action).place
    for name, method in vars(action).items():
        is_new = not any(hasattr(base, name) for base in action.__bases__)
        is_plain = inspect.isfunction(method) and not (step_of(method) or hook_of(method))
        if is_new and is_plain and not name.startswith("_") and name not in used:
            told = f"{place.owner}.{name} is no step, and nothing here calls it: put @step above it"
            yield Broken(place.file, place.of(name).line, told)


def _names(source: bytes) -> list[str]:
    """All that a Python file speaks of, also as text, as in `getattr(self, "dump")`."""
    nodes = list(ast.walk(ast.parse(source)))
    attributes = [node.attr for node in nodes if isinstance(node, ast.Attribute)]
    return attributes + [str(n.value) for n in nodes if isinstance(n, ast.Constant)]
