"""A query as it is meant now and for who asks: its times and `current_user` are written out."""

from datetime import datetime, timedelta

from taskd.search.asker import Asker
from taskd.search.fields import Kind
from taskd.search.nodes import And, Condition, Every, Node, Not, Or
from taskd.search.times import Span
from taskd.search.values import Value


def resolved(node: Node, asker: Asker) -> Node:
    """It finds the same, and can be read as a query again."""
    match node:
        case Every(parts):
            return Every(tuple(resolved(part, asker) for part in parts))
        case And(parts):
            return And(tuple(resolved(part, asker) for part in parts))
        case Or(parts):
            return Or(tuple(resolved(part, asker) for part in parts))
        case Not(part):
            return Not(resolved(part, asker))
        case Condition(field, operator, values) if field.me:
            return Condition(field, operator, tuple(_plain(value) for value in values))
        case Condition(field, _, _) if field.kind is Kind.TIME:
            return _time(node, asker)
    return node


def _plain(value: Value) -> Value:
    return Value(str(value.meaning), value.meaning)


def _time(node: Condition, asker: Asker) -> Node:
    span = node.values[0].meaning
    assert isinstance(span, Span)

    def limit(operator: str, time: datetime) -> Condition:
        text = time.astimezone(asker.zone).isoformat(timespec="microseconds")
        text = text.replace(".000000", "")
        unit = Span(time, time + timedelta(microseconds=1))
        return Condition(node.field, operator, (Value(text, unit),))

    if span.instant and node.operator not in ("=", "!="):
        return limit(node.operator, span.instant)
    match node.operator:
        case "=":
            return And((limit(">=", span.begin), limit("<", span.end)))
        case "!=":
            return Or((limit("<", span.begin), limit(">=", span.end)))
        case ">":
            return limit(">=", span.end)
        case "<=":
            return limit("<", span.end)
    return limit(node.operator, span.begin)
