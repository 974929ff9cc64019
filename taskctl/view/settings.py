"""Settings as people write them."""

import json

from taskctl.view.forms import Record, print_one
from taskd.model.inert import inert


def written(setting: Record, field: str) -> str:
    """`10s`, `64 MiB`, `backup.site=2,notify=1`: as `set` takes it."""
    match setting[field]:
        case bool(value):
            return str(value).lower()
        case int() | float() as value if setting["unit"] == "seconds":
            from taskd.model.interval import write_interval

            return write_interval(value)
        case int(value) if setting["unit"] == "bytes":
            from taskd.model.size import write_size

            return write_size(value)
        case list(value):
            return ":".join(value)
        case dict(value) if all(isinstance(each, int) for each in value.values()):
            return ",".join(f"{name}={each}" for name, each in value.items())
        case dict(value):
            return json.dumps(value)
        case value:
            return str(value)


def origin(setting: Record) -> str:
    """Where the value came from."""
    source, where = setting["source"], setting["where"]
    return f"set by {where}" if source == "stored" else where or source


def short_origin(setting: Record) -> str:
    """The same in few words: there is but one configuration file."""
    match setting["source"]:
        case "file":
            return str(setting["where"]).rpartition("/")[2]
        case "stored":
            return f"set by {setting['where'].partition(',')[0]}"
        case _:
            return origin(setting)


def print_changed(form: str, setting: Record) -> None:
    """As it is in force after it was changed."""
    if form != "table":
        print_one(form, setting, name="name")
        return
    shown = f"{setting['name']} is {written(setting, 'value') or 'empty'}"
    print(inert(f"{shown} ({origin(setting)})"))
