"""One action in full: what it does, its inputs, steps and locks."""

import json

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from taskctl.view.columns import first_line
from taskctl.view.forms import Record
from taskctl.view.inert import inert
from taskctl.view.table import Column, table
from taskctl.view.task_panel import attributes


def action_panel(action: Record) -> RenderableType:
    """The action as a user who wants to run it needs it."""
    parts: list[RenderableType] = [Text(inert(action["label"]), style="bold")]
    if doc := action["doc"].strip():
        parts.append(Padding(Text(inert(doc, keep="\n")), (0, 0, 0, 2)))
    parts.append(Padding(attributes(_attributes(action)), (0, 0, 0, 2)))
    for title, columns, records in (
        ("Inputs", _INPUTS, action["fields"]),
        ("Steps", _STEPS, action["steps"]),
    ):
        if records:
            shown = table(columns, records, headers=False)
            parts += [Text(), Text(title, style="bold"), Padding(shown, (0, 0, 0, 2))]
    return Group(*parts)


def _attributes(action: Record) -> list[tuple[str, Text]]:
    return [
        ("file", Text(inert(f"{action['file']}:{action['line']}" if action["file"] else ""))),
        ("locks", Text(inert(", ".join(action["locks"])))),
        ("rescue", Text(inert(action["rescue"]))),
    ]


def _kind(field: Record) -> str:
    schema = field["schema"]
    if schema.get("format") == "secret":
        return "secret"
    if choices := schema.get("enum"):
        return " | ".join(map(str, choices))
    if parts := schema.get("anyOf"):
        return " | ".join(str(part.get("type", "any")) for part in parts)
    return str(schema.get("type", "any"))


def _default(field: Record) -> str:
    return "required" if field["required"] else f"default {json.dumps(field['default'])}"


_INPUTS = (Column("name", style="bold"), Column("kind", _kind), Column("default", _default))
_STEPS = (Column("name", style="bold"), Column("doc", first_line("doc"), cut=True))
