"""What options and arguments suggest at a TAB: a function for `shell_complete=` each.

They ask the daemon; where that fails, whoever called them suggests nothing.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import click
from click.shell_completion import CompletionItem

NEWEST = 100  # tasks that are looked at
PART = "part"  # the type of what may always go on

Record: TypeAlias = dict[str, Any]
Suggest: TypeAlias = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def ask(context: click.Context, method: str, **parameters: Any) -> Any:
    return context.find_root().obj.channel.ask(method, **parameters)


def query(context: click.Context, _param: click.Parameter, word: str) -> list[CompletionItem]:
    """For `--search`: the whole query up to the next word."""
    found = ask(context, "tasks.complete", search=word)
    return [CompletionItem(each["text"], PART, each["help"]) for each in found]


def ids(search: str = "", forced: str = "") -> Suggest:
    """Tasks that `search` means, or `forced` with `--force`; each but once."""

    def suggest(context: click.Context, param: click.Parameter, word: str) -> list[CompletionItem]:
        given = {str(each) for each in context.params.get(param.name or "") or ()}
        wanted = forced if context.params.get("force") else search
        page = ask(context, "tasks.find", search=wanted, limit=NEWEST)
        return [
            CompletionItem(number, help=f"{task['name']}, {task['state']}")
            for task in page["items"]
            if (number := str(task["id"])).startswith(word) and number not in given
        ]

    return suggest


def logics(context: click.Context, param: click.Parameter, word: str) -> list[CompletionItem]:
    """Recurring logics, each but once."""
    found = context.params.get(param.name or "")
    given = set(map(str, found)) if isinstance(found, list | tuple) else set()
    return [
        CompletionItem(number, help=f"{logic['name']}, {logic['cron_line']}, {logic['state']}")
        for logic in ask(context, "recurring.find", limit=NEWEST)["items"]
        if (number := str(logic["id"])).startswith(word) and number not in given
    ]


def zones(_context: click.Context, _param: click.Parameter, word: str) -> list[CompletionItem]:
    """Time zones."""
    from zoneinfo import available_timezones  # slow, and only needed here

    names = sorted(available_timezones())
    return [CompletionItem(name) for name in names if name.lower().startswith(word.lower())]


def steps(search: str = "", state: str = "") -> Suggest:
    """ID or, behind it, ID/STEP: of its steps, those in `state`."""
    tasks = ids(search)

    def suggest(context: click.Context, param: click.Parameter, word: str) -> list[CompletionItem]:
        number, slash, begin = word.partition("/")
        if not slash:
            return tasks(context, param, word)
        task = ask(context, "tasks.get", task_id=int(number))
        return [
            CompletionItem(f"{number}/{step['name']}", help=step["state"])
            for step in task["steps"]
            if step["name"].startswith(begin) and state in ("", step["state"])
        ]

    return suggest


def labels(context: click.Context, _param: click.Parameter, word: str) -> list[CompletionItem]:
    return [
        CompletionItem(action["label"], help=action["doc"].strip().partition("\n")[0])
        for action in ask(context, "actions.find")
        if action["label"].startswith(word)
    ]


def labels_and_files(
    context: click.Context, param: click.Parameter, word: str
) -> list[CompletionItem]:
    """What `run` takes: an action, or a file with one."""
    found = [] if "/" in word else labels(context, param, word)
    return found + _files(word, (".yaml", ".yml"))


def files(_context: click.Context, _param: click.Parameter, word: str) -> list[CompletionItem]:
    return _files(word)


def inputs(context: click.Context, param: click.Parameter, word: str) -> list[CompletionItem]:
    """KEY= of the inputs of the action that were not given yet, and values that are known."""
    key, equals, begin = word.partition("=")
    if begin.startswith("@"):
        return [CompletionItem(f"{key}=@{file.value}") for file in _files(begin[1:])]
    fields = ask(context, "actions.get", label=context.params["action"])["fields"]
    if not equals:
        given = {pair.partition("=")[0] for pair in context.params.get(param.name or "") or ()}
        return [
            CompletionItem(f"{field['name']}=", help=_about(field))
            for field in fields
            if field["name"].startswith(word) and field["name"] not in given
        ]
    values = (value for field in fields if field["name"] == key for value in _values(field))
    return [CompletionItem(f"{key}={value}") for value in values if value.startswith(begin)]


def _about(field: Record) -> str:
    kind = field["schema"].get("format") or field["schema"].get("type") or "any"
    return f"{kind}, required" if field["required"] else str(kind)


def _values(field: Record) -> Iterable[str]:
    schema = field["schema"]
    if schema.get("type") == "boolean":
        return ("true", "false")
    return (value for value in schema.get("enum", ()) if isinstance(value, str))


def resources(context: click.Context, _param: click.Parameter, word: str) -> list[CompletionItem]:
    """What is locked, or waited for."""
    found = dict.fromkeys(claim["resource"] for claim in ask(context, "locks.find"))
    return [CompletionItem(resource) for resource in found if resource.startswith(word)]


def settings(context: click.Context, _param: click.Parameter, word: str) -> list[CompletionItem]:
    return [
        CompletionItem(setting["name"], help=setting["help"])
        for setting in ask(context, "settings.find")
        if setting["name"].startswith(word)
    ]


def columns(_context: click.Context, _param: click.Parameter, word: str) -> list[CompletionItem]:
    """A,B,…: one more of them."""
    head, comma, begin = word.rpartition(",")
    given = head.split(",")
    return [
        CompletionItem(head + comma + name)
        for name in _columns()
        if name.startswith(begin) and name not in given
    ]


def order(_context: click.Context, _param: click.Parameter, word: str) -> list[CompletionItem]:
    return [
        CompletionItem(text)
        for name in _columns()
        for text in (name, f"{name} desc")
        if text.startswith(word)
    ]


def _columns() -> list[str]:
    from taskctl.view.columns import TASK_COLUMNS  # slow to load, and only needed here

    return [column.field for column in TASK_COLUMNS]


def _files(word: str, endings: tuple[str, ...] = ("",)) -> list[CompletionItem]:
    """Those that begin so, and folders, which go on."""
    folder, begin = os.path.split(word)
    return [CompletionItem(os.path.join(folder, name)) for name in _names(folder, begin, endings)]


def _names(folder: str, begin: str, endings: tuple[str, ...]) -> Iterator[str]:
    with os.scandir(os.path.expanduser(folder) or ".") as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            hidden = entry.name.startswith(".") and not begin.startswith(".")
            if not entry.name.startswith(begin) or hidden:
                continue
            if entry.is_dir():
                yield f"{entry.name}/"
            elif entry.name.endswith(endings):
                yield entry.name
