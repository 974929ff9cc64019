"""The options of an action, given as class keywords: `class BackUp(Action, label="backup")`.

Those of a step, in `step.py`, are read the same way.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict, cast

from taskd.actions.place import Place
from taskd.model.definition import Isolation
from taskd.model.errors import InvalidInput
from taskd.model.interval import parse_interval
from taskd.model.step import Rescue
from taskd.model.suggest import did_you_mean
from taskd.model.task import OnConflict


class Options(TypedDict, total=False):
    """Those that were given; `taskd.model.definition.Definition` has the defaults."""

    label: str
    rescue: Rescue
    cleanup_after: str | None
    cancellable: bool
    singleton: bool
    on_conflict: OnConflict
    subscribes_to: str
    isolation: Literal["process", "thread"]


OPTIONS = tuple(Options.__annotations__)
_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,199}")


def check_label(label: object) -> str:
    """Raises ValueError, saying what a label is."""
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise ValueError("expected at most 200 letters, digits and . _ : -, as in 'backup.site'")
    if label.endswith((".yaml", ".yml", ".py")):
        raise ValueError("it would be taken for a file: leave the ending out")
    return label


def read_options(given: Mapping[str, Any], place: Place) -> Options:
    """The options, checked. Raises InvalidAction."""
    return cast(Options, read(given, _CHECKS, "an action", place))


def read(
    given: Mapping[str, Any], checks: Mapping[str, Callable[[Any], Any]], what: str, place: Place
) -> dict[str, Any]:
    """What each check makes of its option. Raises InvalidAction; `what` has these options."""
    options: dict[str, Any] = {}
    for name, value in given.items():
        if name not in checks:
            remedy = did_you_mean(name, checks) or f"; there are {', '.join(checks)}"
            raise place.refuse(f"{name!r} is no option of {what}{remedy}")
        try:
            options[name] = checks[name](value)
        except (ValueError, InvalidInput) as error:
            raise place.refuse(f"{name}={value!r} is wrong: {error}") from None
    return options


def check_rescue(value: object) -> Rescue:
    if value not in list(Rescue):
        raise ValueError("expected Rescue.PAUSE, Rescue.SKIP or Rescue.FAIL")
    return Rescue(str(value))


def _check_on_conflict(value: object) -> OnConflict:
    if value not in list(OnConflict):
        raise ValueError("expected OnConflict.PAUSE, OnConflict.WAIT or OnConflict.SKIP")
    return OnConflict(str(value))


def check_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected True or False")
    return value


def _check_isolation(value: object) -> Isolation:
    if value not in list(Isolation):
        raise ValueError("expected 'process' or 'thread'")
    return Isolation(str(value))


def _check_period(value: Any) -> str | None:
    if value is not None:
        parse_interval(value)
    return None if value is None else str(value)


_CHECKS: dict[str, Callable[[Any], object]] = {
    "label": check_label,
    "rescue": check_rescue,
    "cleanup_after": _check_period,
    "cancellable": check_flag,
    "singleton": check_flag,
    "on_conflict": _check_on_conflict,
    "subscribes_to": check_label,
    "isolation": _check_isolation,
}
