"""When a recurring logic runs next."""

from taskctl.options import Setup
from taskctl.view.forms import Record


def coming(setup: Setup, logic: Record, count: int) -> list[Record]:
    """At most so many times, each with what is odd about it."""
    if not logic["next_occurrence"]:
        return []
    if limit := logic["iteration_limit"]:
        count = min(count, limit - logic["iteration"])
    times: list[Record] = setup.channel.ask(
        "recurring.preview",
        line=logic["cron_line"],
        tz=logic["timezone"],
        begin=logic["next_occurrence"],
        count=count,
    )["times"]
    return [each for each in times if not logic["until"] or each["at"] <= logic["until"]]
