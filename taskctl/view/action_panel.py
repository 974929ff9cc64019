"""One action in full: what it does, what it needs, its steps, and how to run it."""

import json
from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskctl.view import times
from taskctl.view.forms import Record
from taskctl.view.panel import attributes, indented, section
from taskd.model.inert import inert
from taskd.model.schema import expected


def action_panel(action: Record) -> RenderableType:
    """The action as a user who wants to run it needs it."""
    steps = [*action["steps"], *filter(None, [action["finalize"]])]
    return Group(
        Text(inert(action["label"]), style="bold"),
        *_doc(action),
        indented(attributes(_attributes(action))),
        *section("Inputs", _grid(map(_input, action["fields"]))),
        *section("Steps", _grid(map(_step, steps))),
        *section("Run", [Text(_example(action))]),
    )


def _doc(action: Record) -> Iterator[RenderableType]:
    if doc := action["doc"].strip():
        yield indented(Text(inert(doc, keep="\n")))
        yield Text()


def _attributes(action: Record) -> list[tuple[str, Text]]:
    by_code = action["planner"] == "host"
    locks = [*action["locks"], *([f"action:{action['label']}"] if action["singleton"] else [])]
    return [
        ("title", Text("" if by_code else inert(action["title"]))),
        ("locks", Text(inert(", ".join(locks)))),
        ("if locked", Text(_ON_CONFLICT[action["on_conflict"]])),
        ("plan", Text("its code decides on title, locks and steps" if by_code else "")),
        ("rescue", Text(inert(action["rescue"]))),
        ("beside", Text(inert(action.get("subscribes_to") or ""))),
        ("hooks", Text(inert(", ".join(hook["name"] for hook in action.get("hooks") or ())))),
        ("cancel", Text("" if action["cancellable"] else "not while it runs")),
        ("runs", Text("in the daemon itself" if action["isolation"] == "thread" else "")),
        ("file", Text(inert(f"{action['file']}:{action['line']}" if action["file"] else ""))),
    ]


_ON_CONFLICT = {
    "pause": "",
    "wait": "it waits for its turn",
    "skip": "it is skipped: cancelled at once",
}


def _input(field: Record) -> Iterator[Text]:
    yield Text(inert(field["name"]), style="bold")
    yield Text(("secret " if _is_secret(field) else "") + inert(expected(field["schema"])))
    default = json.dumps(field["default"], ensure_ascii=False)
    yield Text("required" if field["required"] else f"default {inert(default)}", style="dim")


def _step(step: Record) -> Iterator[RenderableType]:
    yield Text(inert(step["name"]), style="bold")
    if lines := list(_told(step)):  # a column of empty cells would cost the names their room
        yield Group(*lines)


def _told(step: Record) -> Iterator[Text]:
    """What it does, and what is special about it."""
    does = step["doc"].strip() or (step["command"] or {}).get("line", "").strip()
    first, _, more = does.partition("\n")
    if first:
        yield Text(inert(f"{first} …" if more else first), no_wrap=True, overflow="ellipsis")
    if facts := "; ".join(_facts(step)):
        yield Text(inert(facts), style="dim")


def _facts(step: Record) -> Iterator[str]:
    if step["needs"]:
        yield "needs " + ", ".join(step["needs"])
    if step["retry"]["times"]:
        yield _retry(step["retry"])
    if step["timeout"]:
        yield f"time limit {times.length(step['timeout'])}"
    if step["rescue"]:
        yield f"rescue {step['rescue']}"
    if step["idempotent"]:
        yield "idempotent"


def _retry(retry: Record) -> str:
    """`retry 3 times, after 30s ± 10%, then 2 times as long`."""
    told = f"retry {retry['times']} times" if retry["times"] > 1 else "retry once"
    if retry["delay"]:
        told += f", after {times.length(retry['delay'])}"
        told += f" ± {times.percent(retry['jitter'])}" if retry["jitter"] else ""
        told += f", then {retry['factor']:g} times as long" if retry["factor"] != 1 else ""
    return told


def _example(action: Record) -> str:
    pairs = [f"{f['name']}={_value(f)}" for f in action["fields"] if f["required"]]
    return inert(" ".join(["taskctl run", action["label"], *pairs]))


def _value(field: Record) -> str:
    if _is_secret(field):
        return "@FILE"
    return {"array": "'[…]'", "object": "'{…}'"}.get(field["schema"].get("type"), "…")


def _is_secret(field: Record) -> bool:
    return bool(field["schema"].get("format") == "secret")


def _grid(rows: Iterable[Iterable[RenderableType]]) -> Iterator[Table]:
    """Cells are wrapped rather than cut."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for row in rows:
        grid.add_row(*row)
    if grid.rows:
        yield grid
