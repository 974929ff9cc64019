"""Lengths of time as people write them: `90s`, `10m`, `2h`, `30d`, `1w`, `1y`, or plain seconds."""

import re
from datetime import timedelta

from taskd.model.errors import InvalidInput

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 365 * 86400}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhdwy])")


def parse_interval(text: str | float) -> timedelta:
    """`"10m"`, `"1h30m"` or a number of seconds. Raises InvalidInput."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return timedelta(seconds=text)
    plain = str(text).strip()
    if re.fullmatch(r"\d+(\.\d+)?", plain):
        return timedelta(seconds=float(plain))
    parts = _PART.findall(plain)
    if not parts or "".join(_PART.split(plain)[::3]).strip():
        raise InvalidInput(f"cannot read {text!r} as a length of time: expected e.g. 90s, 10m or 2h")
    try:
        return timedelta(seconds=sum(float(number) * SECONDS[unit] for number, unit in parts))
    except OverflowError:
        raise InvalidInput(f"cannot read {text!r} as a length of time: it is too long") from None
