"""What a query means, in plain Python over the fields of a task: what SQL must agree with."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from taskd.model.step import JSON
from taskd.model.task import Task
from taskd.search.asker import Asker
from taskd.search.fields import Field, Kind
from taskd.search.nodes import And, Condition, Every, Has, Node, Not, Null, Or, Text
from taskd.search.patterns import matches
from taskd.search.times import Span
from taskd.search.values import Value, as_number

Row = Mapping[str, Any]  # of one lock, link or step: its values by the names of fields
NEGATIVE = {"!=": "=", "!~": "~", "!^": "^"}
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def holds(node: Node, task: Task, asker: Asker) -> bool:
    match node:
        case Every(parts):
            return all(holds(part, task, asker) for part in parts)
        case And(parts):
            return chain_holds(parts, task, asker)
        case Or(parts):
            return any(holds(part, task, asker) for part in parts)
        case Not(part):
            return not holds(part, task, asker)
        case Null(field):
            return not holds(Has(field), task, asker)
        case Text(text):
            return text_is_found(text, task)
        case _:
            return chain_holds((node,), task, asker)


def chain_holds(parts: Iterable[Node], task: Task, asker: Asker) -> bool:
    of_rows = {}
    for part in parts:
        related = isinstance(part, Condition | Has) and part.field.table
        if isinstance(part, Condition) and related and part.operator in NEGATIVE:
            rows = rows_of(task, part.field.table)
            positive = Condition(part.field, NEGATIVE[part.operator], part.values)
            some = any(row_fits(row, Has(part.field)) for row in rows)
            if not some or any(row_fits(row, positive) for row in rows):
                return False
        elif related:
            of_rows.setdefault(part.field.table, []).append(part)
        elif isinstance(part, Condition | Has):
            if not fits(value_of(task, part.field, asker), part):
                return False
        elif not holds(part, task, asker):
            return False
    return all(
        any(all(row_fits(row, part) for part in group) for row in rows_of(task, table))
        for table, group in of_rows.items()
    )


def text_is_found(text: str, task: Task) -> bool:
    errors = [step.error for step in task.steps.values() if step.error]
    words = [task.name, task.label, task.state, task.result]
    words += [word for error in errors for word in (error.message, error.kind)]
    is_id = text.isascii() and text.isdigit() and int(text) == task.id
    return is_id or any(matches(str(word), text) for word in words)


def rows_of(task: Task, table: str) -> list[Row]:
    match table:
        case "links":
            links = [*(link.resource for link in task.links), f"user:{task.user}"]
            return [parts_of("resource", link) for link in links]
        case "locks":
            return [
                parts_of("locked_resource", lock.resource)
                | {"lock.operation": lock.operation or None}
                for lock in task.locks
            ]
    return [
        {
            "step": step.name,
            "step.state": str(step.state),
            "error": step.error and (step.error.message, step.error.kind),
        }
        for step in task.steps.values()
    ]


def parts_of(name: str, resource: str) -> Row:
    kind, _, identity = resource.partition(":")
    return {name: resource, f"{name}_type": kind, f"{name}_id": identity}


def row_fits(row: Row, part: Condition | Has) -> bool:
    value = row[part.field.name]
    if isinstance(value, tuple):
        return any(fits(each, part) for each in value)
    return fits(value, part)


def value_of(task: Task, field: Field, asker: Asker) -> Any:
    if field.key:
        known = task.input if field.name.startswith("input.") else task.output
        return known.get(field.key) if isinstance(known, dict) else None
    if field.name == "duration":
        return task.started_at and (task.ended_at or asker.now) - task.started_at
    name = {"user.id": "uid", "recurring_logic.id": "recurring_logic_id"}.get(field.name)
    return getattr(task, name or field.name)


def fits(value: Any, part: Condition | Has) -> bool:
    """What is not set fits no condition."""
    if value is None or isinstance(part, Has):
        return value is not None
    if part.operator in NEGATIVE:
        return not fits(value, Condition(part.field, NEGATIVE[part.operator], part.values))
    return any(compare(value, part.operator, each, part.field.kind) for each in part.values)


def compare(value: Any, operator: str, wanted: Value, kind: Kind) -> bool:
    if kind is Kind.JSON:
        return compare_json(value, operator, wanted.text)
    if operator == "~":
        return matches(value, wanted.text)
    if isinstance(wanted.meaning, Span):
        return compare_time(value, operator, wanted.meaning)
    if isinstance(wanted.meaning, timedelta):
        return ORDERS[operator](value, wanted.meaning)
    return ORDERS["=" if operator == "^" else operator](value, wanted.meaning)


def compare_json(value: JSON, operator: str, text: str) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    number = as_number(text)
    shown = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    if operator == "~":
        return matches(shown, text)
    if operator in ("=", "^"):
        return value == number if is_number else shown == text
    return is_number and ORDERS[operator](value, number)


def compare_time(value: Any, operator: str, span: Span) -> bool:
    if span.instant and operator != "=":
        return ORDERS[operator](value, span.instant)
    return {
        "=": span.begin <= value < span.end,
        "<": value < span.begin,
        "<=": value < span.end,
        ">": value >= span.end,
        ">=": value >= span.begin,
    }[operator]
