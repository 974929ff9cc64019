"""Lengths of time as people write them: `90s`, `10m`, `2h`, `30d`, `1w`, `1y`, or plain seconds."""

import re
from datetime import timedelta

from taskd.model.errors import InvalidInput

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 365 * 86400}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|[smhdwy])")


def parse_interval(text: str | float) -> timedelta:
    """`"10m"`, `"1h30m"` or a number of seconds. Raises InvalidInput."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _length(text, text)
    plain = str(text).strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", plain):
        return _length(float(plain), text)
    parts = _PART.findall(plain)
    if not parts or "".join(_PART.split(plain)[::3]).strip():
        raise _unreadable(text)
    return _length(sum(float(number) * SECONDS[unit] for number, unit in parts), text)


def write_interval(seconds: float) -> str:
    """As `parse_interval` reads it: `1h30m`, `10s`, `0.5s`."""
    text, left = "", seconds
    for unit in ("d", "h", "m"):
        count, left = divmod(left, SECONDS[unit])
        text += f"{count:.0f}{unit}" if count else ""
    return text + f"{left:g}s" if left or not text else text


def parse_period(text: str) -> timedelta:
    """As `parse_interval`, but with a unit: a bare number would be seconds, which nobody means who
    says how long a history is kept. `m` is minutes. Raises InvalidInput."""
    period = parse_interval(text)
    if not re.search(r"[a-z]", text):
        raise InvalidInput(
            f"cannot read {text!r} as a period: expected a number and a unit (s, m for minutes, h, "
            "d, w, y), as in 30d"
        )
    return period


def _length(seconds: float, text: str | float) -> timedelta:
    if not seconds >= 0:  # negative, or not a number
        raise _unreadable(text)
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise InvalidInput(f"cannot read {text!r} as a length of time: it is too long") from None


def _unreadable(text: str | float) -> InvalidInput:
    return InvalidInput(f"cannot read {text!r} as a length of time: expected e.g. 90s, 10m or 2h")
