"""Times and lengths of time as people read them; times are local."""

from datetime import UTC, datetime


def at(text: str | None, now: datetime | None = None) -> str:
    """`14:02:31` today, else `2025-11-03 14:02`; "" for none."""
    if not text:
        return ""
    moment = datetime.fromisoformat(text).astimezone()
    today = (now or datetime.now().astimezone()).date()
    return f"{moment:%H:%M:%S}" if moment.date() == today else f"{moment:%Y-%m-%d %H:%M}"


def moment(text: str | None) -> datetime:
    """Now for none."""
    return datetime.fromisoformat(text) if text else datetime.now(UTC)


def exactly(text: str | None) -> str:
    """`2025-11-03 14:02:31`; "" for none."""
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M:%S}" if text else ""


def in_zone(text: str, zone: str) -> str:
    """`Sun 2027-03-28 03:00 CEST`, as the clocks there show it; seconds where there are some."""
    from taskd.model.errors import InvalidInput  # only needed here
    from taskd.model.wall import zone_of

    try:
        local = datetime.fromisoformat(text).astimezone(zone_of(zone))
    except InvalidInput:  # it is known to the daemon only
        local = datetime.fromisoformat(text).astimezone()
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{local:%a %Y-%m-%d} {clock} {local:%Z}"


def aside(note: str) -> str:
    return f", {note}" if note else ""


def length(seconds: float | None) -> str:
    """The two largest parts: `0.4s`, `12s`, `3m 20s`, `2h 5m`, `4d 1h`; "" for none."""
    if seconds is None:
        return ""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f}s"
    whole = round(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{days}d {hours % 24}h"
    if hours:
        return f"{hours}h {minutes % 60}m"
    return f"{minutes}m {whole % 60}s" if minutes else f"{whole}s"


def percent(share: float) -> str:
    """`40%`; never 100 before all is done."""
    return f"{int(share * 100 + 1e-9)}%"


def between(start: str | None, end: str | None) -> str:
    """How long it took, or takes so far; "" before it began."""
    if not start:
        return ""
    return length((moment(end) - moment(start)).total_seconds())
