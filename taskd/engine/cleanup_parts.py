"""What a cleanup deletes, as queries: a person's, or those of the configuration in their order.

1. each action that has a period of its own: in `cleanup.actions`, else its `cleanup_after`
2. `cleanup.rules`, each without the tasks of such actions, unless it says `override_actions`
3. `cleanup.after`: what no period of an action speaks of
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from taskd.cleaning import STOPPED, Cleaning, Rule
from taskd.model.task import State
from taskd.search import fields
from taskd.search.asker import Asker
from taskd.search.condition import condition
from taskd.search.nodes import And, Condition, Every, Node, Not, Null, Or
from taskd.search.parser import parse
from taskd.search.resolved import resolved
from taskd.search.sql import Sql
from taskd.search.times import Span
from taskd.search.values import Value

NO_AGE = timedelta(0)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Part:
    """`filter` is all of it as a query, which also a list understands; `meant` without age and
    states."""

    name: str
    meant: str
    after: timedelta
    states: tuple[State, ...]
    filter: str
    where: Sql


def of_search(search: str, after: timedelta, states: tuple[State, ...], asker: Asker) -> list[Part]:
    """Raises QueryError."""
    return [_part("search", [_read(search, asker)], after, states, asker)]


def of_rules(cleaning: Cleaning, own: Mapping[str, timedelta], asker: Asker) -> list[Part]:
    """`own` are the periods that actions say of themselves, by label."""
    actions = own_periods(cleaning, own)
    parts = [_of_rule(", ".join(rule.labels), rule, [], asker) for rule in actions]
    labels = [label for rule in actions for label in rule.labels]
    without: list[Node] = [Not(_label(labels))] if labels else []
    for number, rule in enumerate(cleaning.rules, start=1):
        left_out = [] if rule.override_actions else without
        parts.append(_of_rule(f"rule {number}", rule, left_out, asker))
    if cleaning.after is not None:
        others: list[Node] = [Not(_all(_means(rule, asker))) for rule in actions]
        parts.append(_part("other tasks", others, cleaning.after, STOPPED, asker))
    return parts


def own_periods(cleaning: Cleaning, own: Mapping[str, timedelta]) -> list[Rule]:
    """Of all actions that have one."""
    overridden = {label for rule in cleaning.actions for label in rule.labels}
    left = [Rule(own[label], (label,)) for label in sorted(own.keys() - overridden)]
    return [*cleaning.actions, *left]


def _of_rule(name: str, rule: Rule, left_out: list[Node], asker: Asker) -> Part:
    return _part(name, left_out + _means(rule, asker), rule.after, rule.states, asker)


def _means(rule: Rule, asker: Asker) -> list[Node]:
    labels = [_label(rule.labels)] if rule.labels else []
    return labels + ([_read(rule.filter, asker)] if rule.filter else [])


def _part(
    name: str, nodes: list[Node], after: timedelta, states: tuple[State, ...], asker: Asker
) -> Part:
    query = _all([*nodes, *_aged(after, states, asker.now), *_in(states)])
    return Part(name, str(_all(nodes)), after, states, str(query), condition(query, asker))


def _read(query: str, asker: Asker) -> Node:
    return resolved(parse(query, asker), asker)


def _all(nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else And(tuple(nodes)) if nodes else Every(())


def _label(labels: list[str] | tuple[str, ...]) -> Node:
    values = tuple(Value(label, label) for label in labels)
    return _condition("label", "=" if len(values) == 1 else "^", *values)


def _in(states: tuple[State, ...]) -> Iterator[Node]:
    if set(states) != set(State):
        values = [Value(str(state), str(state)) for state in states]
        yield _condition("state", "=" if len(values) == 1 else "^", *values)


def _aged(after: timedelta, states: tuple[State, ...], now: datetime) -> Iterator[Node]:
    """The age is that of the end, else of the beginning, else of the time that it waits for."""
    if after == NO_AGE:
        return
    try:
        limit = (now - after).replace(microsecond=0)
    except OverflowError:  # nothing is so old
        limit = LONG_AGO
    ended, started, start = (_before(f"{name}_at", limit) for name in ("ended", "started", "start"))
    if states == STOPPED:  # all of them have ended
        yield ended
        return
    not_ended, not_started = Null(ended.field), Null(started.field)
    yield Or((ended, And((not_ended, started)), And((not_ended, not_started, start))))


def _before(name: str, limit: datetime) -> Condition:
    text = limit.astimezone(UTC).isoformat(" ", "seconds").replace("+00:00", "Z")
    return _condition(name, "<", Value(text, Span(limit, limit + timedelta(seconds=1))))


def _condition(name: str, operator: str, *values: Value) -> Condition:
    field = fields.find(name)
    assert field
    return Condition(field, operator, values)
