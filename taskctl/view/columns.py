"""The columns of lists. A new one is a line here."""

from collections.abc import Callable, Sequence

from taskctl.view import colors, settings, times
from taskctl.view.forms import Record
from taskctl.view.table import Column
from taskd.model.errors import InvalidInput


def _at(field: str) -> Column:
    return Column(field, lambda record: times.at(record[field]))


TASK_COLUMNS = (
    Column("id", style="bold", right=True),
    Column("name", cut=True),
    Column("label", style="dim", cut=True),
    Column("state", style=colors.state),
    Column("result", style=colors.result),
    _at("started_at"),
    Column("duration", lambda task: times.length(task["duration"]), right=True),
    Column("progress", lambda task: times.percent(task["progress"]), right=True),
    Column("user"),
    Column("type"),
    Column("execution_type"),
    Column("priority", right=True),
    Column("key", cut=True),
    _at("created_at"),
    _at("start_at"),
    _at("start_before"),
    _at("ended_at"),
    _at("state_updated_at"),
    Column("parent_task_id", right=True),
    Column("recurring_logic_id", right=True),
    Column("external_id", cut=True),
)
TIGHT = ("id", "name", "state")
NARROW = ("id", "name", "state", "result", "started_at", "duration", "progress")
WIDE = ("id", "name", "label", "state", "result", "started_at", "duration", "progress", "user")
ROOM_FOR_NARROW, ROOM_FOR_WIDE = 70, 110


def for_width(width: int) -> Sequence[str]:
    """The columns that a terminal of `width` shows well."""
    if width < ROOM_FOR_NARROW:
        return TIGHT
    return WIDE if width >= ROOM_FOR_WIDE else NARROW


def choose(names: Sequence[str], columns: Sequence[Column] = TASK_COLUMNS) -> list[Column]:
    """The columns called `names`, in that order. Raises InvalidInput."""
    known = {column.field: column for column in columns}
    for name in names:
        if name not in known:
            from difflib import get_close_matches  # slow to load, and only needed here

            close = get_close_matches(name, known, n=1)
            raise InvalidInput(
                f"no column {name!r}" + (f"; did you mean {close[0]!r}?" if close else ""),
                hint="columns are " + ", ".join(known),
            )
    return [known[name] for name in names]


LOCK_COLUMNS = (
    Column("resource", fold=True),
    Column("operation", lambda claim: claim["operation"] or "all"),
    Column("task_id", style="bold", right=True),
    Column("task_name", cut=True),
    Column("state", style=colors.state),
    Column("user"),
    Column("held", lambda claim: "held" if claim["held"] else "waits"),
    Column("for", lambda claim: times.between(claim["since"], None), right=True),
    Column("behind", lambda claim: ", ".join(map(str, claim["behind"]))),
)


def _inputs(action: Record) -> str:
    return " ".join(f["name"] if f["required"] else f"[{f['name']}]" for f in action["fields"])


def first_line(field: str) -> Callable[[Record], str]:
    return lambda record: record[field].strip().partition("\n")[0]


def runs(logic: Record) -> str:
    limit = logic["iteration_limit"]
    return f"{logic['iteration']} of {limit}" if limit else str(logic["iteration"])


def _counted(event: Record) -> str:
    return f"{event['event']} {event['times']} ×" if event["times"] > 1 else str(event["event"])


def _age(part: Record) -> str:
    return times.length(part["after"]).removesuffix(" 0h")


CLEANUP_COLUMNS = (
    Column("name", style="bold", fold=True),
    Column("delete_after", _age, right=True),
    Column("states", lambda part: "all" if len(part["states"]) > 4 else ", ".join(part["states"])),
    Column("filter", fold=True),
)
ACTION_COLUMNS = (
    Column("label", style="bold", cut=True),
    Column("type"),
    Column("inputs", _inputs, cut=True),
    Column("doc", first_line("doc"), cut=True),
)
BROKEN_COLUMNS = (
    Column("file"),
    Column("line", right=True),
    Column("message", style="red"),
)
LOGIC_COLUMNS = (
    Column("id", style="bold", right=True),
    Column("name", cut=True),
    Column("cron_line"),
    Column("timezone", style="dim", cut=True),
    Column("state", style=colors.state),
    Column("runs", runs, right=True),
    _at("last_occurrence"),
    _at("next_occurrence"),
    Column("purpose", cut=True),
)
LOGIC_EVENT_COLUMNS = (
    Column("at", lambda event: times.exactly(event["at"])),
    Column("event", _counted, style="bold"),
    Column("who"),
    Column("detail", cut=True),
)
EVENT_COLUMNS = (
    Column("at", lambda event: times.exactly(event["at"])),
    Column("event", style="bold"),
    Column("who"),
    Column("detail", cut=True),
)
SETTING_COLUMNS = (
    Column("name", style=lambda setting: "" if setting["source"] == "default" else "bold"),
    Column("value", lambda setting: settings.written(setting, "value"), fold=True),
    Column("default", lambda setting: settings.written(setting, "default"), style="dim"),
    Column("source", settings.short_origin, fold=True),
    Column("help", cut=True),
)
