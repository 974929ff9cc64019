"""What the page of a task shows of its record, in the order and shape in which it is drawn."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from taskctl.exporting import Record
from taskctl.view import times
from taskd.model.step import FINALIZE, PLAN, reason

# What a state or result looks like: a colour of the style sheet.
TONES = {
    "success": "good",
    "warning": "odd",
    "paused": "odd",
    "error": "bad",
    "running": "busy",
    "suspended": "busy",
}
QUIET = "quiet"

_ATTRIBUTES = (
    "label", "state", "result", "user", "type", "execution_type", "priority", "key", "created_at",
    "start_at", "start_before", "started_at", "ended_at", "duration", "progress", "parent_task_id",
    "recurring_logic_id", "external_id", "after",
)  # fmt: skip


def outcome(record: Record) -> str:
    """The word that says most: of a task that has stopped its result, else the state."""
    return str(record["result"] if record["state"] == "stopped" else record["state"])


def tone(word: str) -> str:
    return TONES.get(word, QUIET)


def clock(text: str | None) -> str:
    """`2026-11-25 03:50:00`, in UTC; "" for none."""
    return text[:19].replace("T", " ") if text else ""


def pretty(value: object) -> str:
    """JSON on many lines; a text as it is."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def attributes(record: Record) -> Iterator[tuple[str, object]]:
    """Name and value of what is set."""
    for name in _ATTRIBUTES:
        value = record[name]
        if name.endswith(("_at", "_before")):
            value = clock(value)
        elif name == "duration":
            value = times.length(value)
        elif name == "progress":
            value = times.percent(value)
        elif name == "after":
            value = ", ".join(map(str, value))
        if value not in (None, ""):
            yield name.removesuffix("_at").replace("_", " "), value


def flow(record: Record) -> Any:
    """The plan, what it planned, and the end, as `{"kind", "parts"}` or `{"step"}`."""
    steps = {step["name"]: step for step in record["steps"]}
    ends = [{"step": steps[name]} if name in steps else None for name in (PLAN, FINALIZE)]
    middle = _boxes(record["flow"], steps) if record["flow"] else None
    return {"kind": "sequence", "parts": [part for part in (ends[0], middle, ends[1]) if part]}


def _boxes(part: Any, steps: dict[str, Record]) -> Any:
    if isinstance(part, str):
        return {"step": steps[part]} if part in steps else None
    kind, *parts = part
    found = [box for box in (_boxes(each, steps) for each in parts) if box]
    return {"kind": "sequence" if kind == "sequence" else "concurrence", "parts": found}


def time_line(record: Record) -> list[Record]:
    """Of each step that has begun its bar, in percent of the whole line."""
    begun = [step for step in record["steps"] if step["started_at"]]
    if not begun:
        return []
    start = min(_second(step["started_at"]) for step in begun)
    end = max(_second(step["ended_at"] or record["state_updated_at"]) for step in begun)
    whole = max(end - start, 1e-6)
    bars = []
    for step in begun:
        begin = _second(step["started_at"])
        length = max(0.0, _second(step["ended_at"] or record["state_updated_at"]) - begin)
        left = min(100 * (begin - start) / whole, 99.0)
        width = min(max(100 * length / whole, 1.0), 100 - left)
        bars.append({"step": step, "left": f"{left:.2f}", "width": f"{width:.2f}", "took": length})
    return bars


def _second(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def sub_tasks(step: Record) -> list[int]:
    """Their ids, as they stand in the output."""
    output = step["output"]
    ids = output.get("tasks") if isinstance(output, dict) else None
    return [each for each in ids if type(each) is int] if isinstance(ids, list) else []


def log_of(record: Record, step: Record) -> list[tuple[str, str, str]]:
    """Time, stream and text of the last lines that the step printed."""
    lines = record["logs"].get(f"{step['number']}-{step['name']}", "").split("\n")
    return [_log_line(line) for line in lines if line]


def _log_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ", 3)
    if len(parts) < 4:  # the disk, or a person, damaged the file
        return "", "taskd", line
    at, stream, _, text = parts
    return at[11:19], stream, text


def error_of(step: Record) -> Record:
    """Also one that another program has written."""
    error: Record = {"kind": "", "message": "", "traceback": "", "detail": None}
    error |= step["error"]
    return error


def why(error: Record) -> str:
    """An error in one line."""
    return reason(error["kind"], error["message"])
