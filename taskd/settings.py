"""Every setting: one field with its default, how its text is read, and help.

taskctl settings set cancel_grace 5s    # stored
settings:
  cancel_grace: 5s                      # in the configuration file, which goes before that
TASKD_CANCEL_GRACE=5s                   # in the environment, which goes before the file
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from taskd import setting_texts as texts
from taskd.config_file import REMEDY, Given, Text, read_settings
from taskd.model.errors import InvalidInput, NotFound, StoreError, TaskdError
from taskd.model.setting import Setting, Source

NONE: Mapping[str, Any] = MappingProxyType({})
BYTES, SECONDS = "bytes", "seconds"


def _setting(
    default: Text,
    read: Callable[[Text], Any],
    help: str,
    *,
    unit: str = "",
    at_start: bool = False,
    manual: str = "",
) -> Any:
    """A field whose default, too, is written as people write it.

    `at_start`: it counts only when the daemon starts. `manual`: its name in the manual of the
    system that this one is like.
    """
    return field(
        default_factory=lambda: read(default),
        metadata={"read": read, "help": help, "unit": unit, "at_start": at_start, "manual": manual},
    )


class Origin(NamedTuple):
    """Where a value came from: file and line, a variable, or who stored it."""

    source: Source = Source.DEFAULT
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`origins` are those of the values that are no defaults. `passed_over`: a line for each value
    that is stored and cannot be read."""

    origins: Mapping[str, Origin] = field(default_factory=lambda: NONE, compare=False)
    passed_over: tuple[str, ...] = field(default=(), compare=False)

    allow_dangerous_actions: bool = _setting(
        "false",
        texts.truth,
        "allow unlock and force unlock, which end tasks that hold locks",
        manual="dynflow_allow_dangerous_actions",
    )
    executor_slots: int = _setting(
        "4", texts.number(1), "how many steps run at the same time", unit="steps"
    )
    action_slots: dict[str, int] = _setting(
        "",
        texts.slots,
        "how many of them steps of one action may have, by label, e.g. backup.site=2",
        unit="steps",
    )
    action_paths: tuple[Path, ...] = _setting(
        "",
        texts.folders,
        "more folders with actions, with ':' between them; relative ones are beside the "
        "configuration file",
    )
    cancel_grace: timedelta = _setting(
        "10s", texts.length, "how long a cancelled step may go on before it is killed", unit=SECONDS
    )
    stop_grace: timedelta = _setting(
        "60s", texts.length, "how long `taskd stop --wait` waits for running steps", unit=SECONDS
    )
    log_limit: int = _setting(
        "64 MiB",
        texts.bytes,
        "how much output of a step is kept, e.g. 64 MiB; the rest is dropped",
        unit=BYTES,
    )
    searches: dict[str, str] = _setting(
        "", texts.searches, "your own searches by name, e.g. stuck: state = paused; used as @stuck"
    )
    large_wal: int = _setting(
        "256 MiB",
        texts.bytes,
        "how large the store's WAL may become until the log tells of it",
        unit=BYTES,
    )
    long_running_after: timedelta = _setting(
        "2d", texts.length, "when a task that does not stop counts as long-running", unit=SECONDS
    )
    host_idle: timedelta = _setting(
        "60s",
        texts.length,
        "how long a process for Python steps waits for the next one",
        unit=SECONDS,
    )
    durability: str = _setting(
        "full",
        texts.choice("full", "normal"),
        "full: what was answered survives a power cut (normal is not in this version)",
        at_start=True,
    )
    enable_console: bool = _setting(
        "false",
        texts.truth,
        "serve the web console (not in this version)",
        manual="dynflow_enable_console",
    )
    console_require_auth: bool = _setting(
        "true",
        texts.truth,
        "ask users of the web console who they are (not in this version)",
        manual="dynflow_console_require_auth",
    )
    proxy_action_retry_count: int = _setting(
        "4",
        texts.number(0),
        "how often a remote executor that does not answer is tried again (not in this version)",
        unit="tries",
        manual="foreman_tasks_proxy_action_retry_count",
    )
    proxy_action_retry_interval: timedelta = _setting(
        "15s",
        texts.length,
        "how long to wait between these tries (not in this version)",
        unit=SECONDS,
        manual="foreman_tasks_proxy_action_retry_interval",
    )
    proxy_action_start_timeout: timedelta = _setting(
        "60s",
        texts.length,
        "how long a remote executor may take to begin a step (not in this version)",
        unit=SECONDS,
        manual="foreman_tasks_proxy_action_start_timeout",
    )

    def origin(self, name: str) -> Origin:
        return self.origins.get(name, Origin())

    def table(self) -> list[Setting]:
        """All of them, as they are in force."""
        return [self.describe(name) for name in FIELDS]

    def describe(self, name: str) -> Setting:
        source, where = self.origin(name)
        about = FIELDS[name].metadata
        return Setting(
            name=name,
            value=_plain(getattr(self, name)),
            default=_plain(getattr(DEFAULTS, name)),
            unit=about["unit"],
            source=source,
            where=where,
            at_start=about["at_start"],
            help=about["help"],
        )

    def with_stored(self, name: str, given: Given | None) -> "Settings":
        """With that value stored, or with none any more. Raises InvalidInput.

        What file or environment say still goes before it.
        """
        value = getattr(DEFAULTS, name) if given is None else read_value(name, given.value)
        if self.origin(name).source in (Source.FILE, Source.ENVIRONMENT):
            return self
        others = {other: origin for other, origin in self.origins.items() if other != name}
        own = {name: Origin(Source.STORED, given.where)} if given else {}
        changed: Settings = replace(self, origins=others | own, **{name: value})
        return changed


FIELDS: dict[str, Field[Any]] = {
    setting.name: setting for setting in fields(Settings) if setting.metadata
}
DEFAULTS = Settings()
_OF_MANUAL = {
    setting.metadata["manual"]: name
    for name, setting in FIELDS.items()
    if setting.metadata["manual"]
}


def load(
    path: Path, environment: Mapping[str, str], stored: Mapping[str, Given] = NONE
) -> Settings:
    """The settings in force: environment before file before what is stored before default.

    Raises StoreError, which names all that is wrong in file and environment, and where. What is
    wrong in the store is passed over: a daemon that does not start could not be told otherwise.
    """
    given = [(Source.FILE, name, one) for name, one in read_settings(path).items()]
    given += [(Source.ENVIRONMENT, name, one) for name, one in _from_environment(environment)]
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    problems: list[str] = []
    for source, word, one in given:
        try:
            name = plain_name(word)
            _refuse_twice(source, origins.get(name, Origin()))
            values[name] = read_value(name, one.value)
            origins[name] = Origin(source, one.where)
        except TaskdError as error:
            problems.append(f"{one.where}: {error.message}")
    if problems:
        raise StoreError("\n".join(problems), hint=REMEDY)
    return _with_all(stored, Settings(origins=origins, **values))


def plain_name(word: str) -> str:
    """Of a setting, which may be called as in the manual. Raises NotFound."""
    name = _OF_MANUAL.get(word, word)
    if name not in FIELDS:
        close = get_close_matches(word, FIELDS, n=1)
        raise NotFound(
            f"unknown setting {word!r}" + (f"; did you mean {close[0]!r}?" if close else "")
        )
    return name


def read_value(name: str, text: Text) -> Any:
    """Raises InvalidInput."""
    try:
        return FIELDS[name].metadata["read"](text)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error.message}") from None


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Given]]:
    for name in FIELDS:
        variable = f"TASKD_{name.upper()}"
        if variable in environment:
            yield name, Given(environment[variable], variable)


def _refuse_twice(source: Source, earlier: Origin) -> None:
    if earlier.source is source:
        raise InvalidInput(f"it is set twice, first at {earlier.where}")


def _with_all(stored: Mapping[str, Given], settings: Settings) -> Settings:
    passed_over = []
    for name, one in stored.items():
        try:
            settings = settings.with_stored(plain_name(name), one)
        except TaskdError as error:
            passed_over.append(f"a stored setting is passed over: {error.message}")
    return replace(settings, passed_over=tuple(passed_over))


def _plain(value: Any) -> Any:
    """As JSON."""
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    return list(map(str, value)) if isinstance(value, tuple) else value
