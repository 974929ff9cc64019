"""In which order tasks are listed: `started_at`, `duration desc`; the newest first unless told."""

from dataclasses import dataclass

from taskd.model.errors import QueryError
from taskd.model.suggest import did_you_mean
from taskd.search.fields import FIELDS

_WAYS = {"asc": False, "desc": True}
_PLACES = {field.name: field.sql for field in FIELDS if not field.table} | {
    "priority": "tasks.priority",
    "recurring_logic_id": "tasks.recurring_logic_id",
}


@dataclass(frozen=True)
class Order:
    """By the column `name`, whose value is at `place`; by the id where that is the same."""

    name: str = "id"
    descending: bool = True

    def __str__(self) -> str:
        return f"{self.name} {'desc' if self.descending else 'asc'}"

    @property
    def place(self) -> str:
        """`{now}` in it stands for the time at hand."""
        return _PLACES[self.name]


def read_order(text: str) -> Order:
    """Raises QueryError, at the position in `text`."""
    words = text.lower().split()
    if not words:
        return Order()
    name, way, *rest = [*words, "asc", ""] if len(words) == 1 else [*words, ""]
    if name not in _PLACES:
        near = did_you_mean(name, _PLACES) or f"; there are {', '.join(_PLACES)}"
        raise QueryError(f"cannot order by {name[:50]!r}{near}", query=text[:1000])
    if way not in _WAYS or any(rest):
        position = text.lower().find(words[1], len(name))
        raise QueryError("expected asc or desc after the column", position=position, query=text)
    return Order(name, _WAYS[way])
