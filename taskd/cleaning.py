"""The section `cleanup` of the configuration: which tasks are deleted when, and how they are kept.

cleanup:
  after: 365d                             # all tasks, but for those that an action below speaks of
  actions:                                # before what actions say of themselves, `cleanup_after`
    - {name: backup.site, after: 10d, filter: "result = success"}
    - {name: [facts.import, facts.export], after: 1d}
  rules:                                  # without actions that have a period of their own
    - {filter: "result = success", after: 30d}
    - {states: all, after: 1y, override_actions: true}
  backup: {enabled: true, keep: 90d, max_size: 1 GiB}
  daily: true
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from taskd.config_file import (
    REMEDY,
    Given,
    GivenRule,
    Text,
    guess,
    one_value,
    read_mapping,
    read_rules,
)
from taskd.model.errors import InvalidInput, StoreError
from taskd.model.interval import parse_period
from taskd.model.size import parse_size
from taskd.model.task import State
from taskd.search.asker import SAVED, Asker
from taskd.search.parser import parse
from taskd.setting_texts import truth

STOPPED = (State.STOPPED,)

Reader: TypeAlias = Callable[[Text], Any]


@dataclass(frozen=True)
class Rule:
    """Tasks are deleted when they are older than `after`: those of `labels`, if there are any, that
    `filter` means, in one of `states`.

    `override_actions`: also those of actions that have a period of their own.
    """

    after: timedelta
    labels: tuple[str, ...] = ()
    filter: str = ""
    states: tuple[State, ...] = STOPPED
    override_actions: bool = False


@dataclass(frozen=True)
class Backup:
    """How what was deleted is kept: so long, and so much of it in all (bytes)."""

    enabled: bool = True
    keep: timedelta = timedelta(days=90)
    max_size: int = 1 << 30


@dataclass(frozen=True)
class Cleaning:
    """`daily`: a cleanup runs once a day by itself."""

    after: timedelta | None = None
    actions: tuple[Rule, ...] = ()
    rules: tuple[Rule, ...] = ()
    backup: Backup = field(default_factory=Backup)
    daily: bool = False


def load(path: Path, searches: Mapping[str, str]) -> Cleaning:
    """The section of the file; `searches` are those that its filters may use by name.

    Raises StoreError, which names all that is wrong and where.
    """
    reading = _Reading(searches)
    section = read_mapping(path, "cleanup", nested=_NESTED)
    if section is None:
        return Cleaning()
    made = Cleaning(
        **{"daily": True, **reading.values(section, _SECTION, _NESTED)},
        actions=reading.rules(read_rules(path, "cleanup", "actions"), _ACTION, ("name", "after")),
        rules=reading.rules(read_rules(path, "cleanup", "rules"), _RULE, ("after",)),
        backup=reading.backup(read_mapping(path, "cleanup", "backup")),
    )
    if reading.problems:
        raise StoreError("\n".join(reading.problems), hint=REMEDY)
    return made


def read_states(text: Text) -> tuple[State, ...]:
    """`all`, a list, or names with commas between them. Raises InvalidInput."""
    words = (
        text if isinstance(text, list) else [word.strip() for word in one_value(text).split(",")]
    )
    if words == ["all"]:
        return tuple(State)
    for word in words:
        if word == "all":
            raise InvalidInput("'all' stands alone")
        if word not in list(State):
            raise InvalidInput(f"no state {word!r}{guess(word, [*map(str, State), 'all'])}")
    return tuple(state for state in State if state in words)


class _Reading:
    """Goes on where something is wrong, so that all of it is told at once."""

    def __init__(self, searches: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._asker = Asker("", 0, datetime.now(UTC), saved={**SAVED, **searches})

    def rules(
        self, given: list[GivenRule], known: Mapping[str, Reader], needed: tuple[str, ...]
    ) -> tuple[Rule, ...]:
        return tuple(rule for each in given if (rule := self._rule(each, known, needed)))

    def backup(self, given: GivenRule | None) -> Backup:
        return Backup(**self.values(given, _BACKUP)) if given else Backup()

    def _rule(
        self, given: GivenRule, known: Mapping[str, Reader], needed: tuple[str, ...]
    ) -> Rule | None:
        before = len(self.problems)
        values = self.values(given, known)
        for name in needed:
            if name not in given.values:
                self.problems.append(f"{given.where}: expected {name}, as in {_EXAMPLES[name]}")
        if "name" in values:
            values["labels"] = values.pop("name")
        return Rule(**values) if len(self.problems) == before else None

    def values(
        self, given: GivenRule, known: Mapping[str, Reader], others: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Those that can be read. `others` are read elsewhere."""
        found: dict[str, Any] = {}
        for name, value in given.values.items():
            try:
                found[name] = self._read(name, value, known, others)
            except InvalidInput as error:
                self.problems.append(f"{value.where}: {error.message}")
        return found

    def _read(
        self, name: str, given: Given, known: Mapping[str, Reader], others: tuple[str, ...]
    ) -> Any:
        if name not in known:
            raise InvalidInput(f"unknown key {name!r}{guess(name, (*known, *others))}")
        try:
            if name == "filter":
                return self._filter(given.value)
            return known[name](given.value)
        except InvalidInput as error:
            raise InvalidInput(f"{name}: {error.message}") from None

    def _filter(self, text: Text) -> str:
        query = one_value(text)
        if not query.strip():
            raise InvalidInput("it is empty: leave it out, if all tasks are meant")
        parse(query, self._asker)
        return query


def _period(text: Text) -> timedelta:
    return parse_period(one_value(text))


def _labels(text: Text) -> tuple[str, ...]:
    labels = tuple(text) if isinstance(text, list) else (one_value(text),)
    if not all(labels) or not labels:
        raise InvalidInput("expected the label of an action, or a list of them")
    return labels


_SECTION: Mapping[str, Reader] = {"after": _period, "daily": truth}
_NESTED = ("actions", "rules", "backup")
_RULE: Mapping[str, Reader] = {
    "after": _period,
    "filter": one_value,
    "states": read_states,
    "override_actions": truth,
}
_ACTION: Mapping[str, Reader] = {"name": _labels, "after": _period, "filter": one_value}
_BACKUP: Mapping[str, Reader] = {
    "enabled": truth,
    "keep": _period,
    "max_size": lambda text: parse_size(one_value(text)),
}
_EXAMPLES = {"after": "after: 30d", "name": "name: backup.site"}
