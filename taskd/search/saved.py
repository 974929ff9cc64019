"""Searches of one's own: whether each can be read."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from taskd.model.errors import QueryError
from taskd.search.asker import SAVED, Asker
from taskd.search.parser import parse


def find_mistakes(searches: Mapping[str, str]) -> Iterator[str]:
    asker = Asker("", 0, datetime.now(UTC), saved={**SAVED, **searches})
    for name in searches:
        try:
            parse(f"@{name}", asker)
        except QueryError as error:
            yield error.message
