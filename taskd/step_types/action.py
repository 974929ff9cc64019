"""`action: notify`: another action as a sub-task, or one for each item of a list.

tell:
  action: notify
  for_each: "{channels}"
  input: {channel: "{item}", text: "saved to {archive}"}
  concurrency: 5
"""

from collections.abc import Iterable, Iterator, Mapping

from taskd.model.definition import MAX_CONCURRENCY, Delegation
from taskd.model.step import JSON
from taskd.model.template import placeholders

ITEM = "item"
FIELDS: dict[str, dict[str, JSON]] = {
    "action": {"type": "string"},
    "for_each": {"anyOf": [{"type": "string"}, {"type": "array"}]},
    "input": {"type": "object"},
    "concurrency": {"type": "integer"},
}


def compile_step(values: Mapping[str, JSON]) -> dict[str, object]:
    """Raises ValueError."""
    if (
        concurrency := values.get("concurrency")
    ) is not None and not 1 <= concurrency <= MAX_CONCURRENCY:
        raise ValueError(f"concurrency: {concurrency} is not between 1 and {MAX_CONCURRENCY}")
    delegation = Delegation(
        label=values["action"],
        input=values.get("input", {}),
        for_each=values.get("for_each"),
        concurrency=concurrency,
    )
    return {"delegation": delegation}


def find_needs(values: Mapping[str, JSON], earlier: Iterable[str]) -> tuple[str, ...]:
    """The earlier steps whose output the templates name."""
    used = {name for _, names in find_names(values) for name in names}
    return tuple(name for name in earlier if name in used)


def find_names(values: Mapping[str, JSON]) -> Iterator[tuple[str, list[str]]]:
    """What the templates of each key name, `{item}` apart. Raises InvalidInput on a lone brace."""
    yield "for_each", placeholders(values.get("for_each"))
    own = {ITEM} if "for_each" in values else set()
    yield "input", [name for name in placeholders(values.get("input")) if name not in own]
