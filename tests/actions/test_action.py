"""What authors write works as plain Python."""

from dataclasses import FrozenInstanceError, dataclass, field
from enum import Enum

import pytest

import taskd
from taskd import Action, Retry, Secret, action, concurrence, sequence, step
from taskd.actions.action import from_input, words
from taskd.actions.declaration import declaration_of
from taskd.actions.function import action_of


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Server:
    host: str
    port: int = 22


class BackUp(Action, label="backup", cleanup_after="30d"):
    site: str
    channels: list[str] = field(default_factory=list)

    @step
    def dump(self) -> str:
        return f"/var/backups/{self.site}.sql"

    @step(retry=Retry(3, delay=30), timeout="10m", weight=4, idempotent=True)
    def archive(self, dump: str) -> str:
        self.task.log(f"archiving {dump}")
        return f"remote:{dump}"


class Verified(BackUp, label="backup.verified"):
    depth: int = 1

    @step
    def dump(self) -> str:
        return "better"

    @step
    def verify(self, archive: str) -> bool:
        return bool(archive)


def test_step_is_a_plain_method(capsys: pytest.CaptureFixture[str]) -> None:
    backup = BackUp(site="blog")

    assert backup.archive(dump=backup.dump()) == "remote:/var/backups/blog.sql"
    assert capsys.readouterr().out == "archiving /var/backups/blog.sql\n"


def test_action_is_frozen_and_comparable() -> None:
    backup = BackUp(site="blog")

    assert backup == BackUp(site="blog", channels=[])
    with pytest.raises(FrozenInstanceError):
        backup.site = "other"  # type: ignore[misc]  # that it may not is the test


def test_options_of_a_step_are_read() -> None:
    archive = declaration_of(BackUp).steps["archive"]

    assert (archive.retry, archive.timeout, archive.weight, archive.idempotent) == (
        Retry(3, delay=30), 600.0, 4.0, True,
    )  # fmt: skip
    assert archive.needs == ("dump",)


def test_steps_and_options_are_inherited_base_class_first() -> None:
    declaration = declaration_of(Verified)

    assert list(declaration.steps) == ["dump", "archive", "verify"]
    assert [f.name for f in declaration.fields] == ["site", "channels", "depth"]
    assert declaration.options == {"label": "backup.verified", "cleanup_after": "30d"}
    assert Verified(site="x").dump() == "better"


def test_label_is_not_inherited() -> None:
    class Other(BackUp):
        pass

    assert "label" not in declaration_of(Other).options


def test_steps_of_a_mixin_are_steps() -> None:
    class Telling:
        @step
        def tell(self) -> None: ...

    class Told(Telling, BackUp, label="told"):
        pass

    assert list(declaration_of(Told).steps) == ["dump", "archive", "tell"]


def test_secret_is_text_that_is_never_shown() -> None:
    class LogIn(Action, label="log-in"):
        user: str
        password: Secret[str]

        @step
        def go(self) -> str:
            return self.password

    log_in = LogIn(user="ana", password="hunter2")

    assert "hunter2" not in repr(log_in)
    assert "user='ana'" in repr(log_in)
    assert log_in.go() == "hunter2"


def test_function_is_an_action_of_one_step() -> None:
    @action(label="facts.import", cleanup_after="30d")
    def import_facts(host: str, tags: list[str] = []) -> dict[str, list[str]]:  # noqa: B006
        return {host: tags}

    made = action_of(import_facts)

    assert import_facts(host="web1") == {"web1": []}
    assert made is not None
    assert list(declaration_of(made).steps) == ["import_facts"]
    assert declaration_of(made).options == {"label": "facts.import", "cleanup_after": "30d"}
    assert from_input(made, {"host": "web1"}).import_facts() == {"web1": []}
    assert from_input(made, {"host": "web1"}).title() == "Import facts"


def test_input_becomes_the_types_of_the_fields() -> None:
    class Connect(Action, label="connect"):
        server: Server
        others: list[Server] = field(default_factory=list)
        colour: Colour | None = None

        @step
        def go(self) -> None: ...

    made = from_input(
        Connect,
        {"server": {"host": "a"}, "others": [{"host": "b", "port": 1}], "colour": "red", "old": 1},
    )

    assert made == Connect(server=Server("a"), others=[Server("b", 1)], colour=Colour.RED)
    assert from_input(Connect, {"server": {"host": "a"}, "colour": None}).colour is None


def test_flow_takes_methods_and_names() -> None:
    backup = BackUp(site="x")

    flow = sequence(backup.dump, concurrence(backup.archive, "verify"))

    assert flow == ["sequence", "dump", ["concurrence", "archive", "verify"]]
    assert backup.plan() == ["sequence", "dump", "archive"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BackUpSite", "Back up site"),
        ("import_facts", "Import facts"),
        ("HTTPCheck", "HTTP check"),
        ("Notify", "Notify"),
        ("Copy2Hosts", "Copy 2 hosts"),
    ],
)
def test_class_name_is_read_as_words(name: str, text: str) -> None:
    assert words(name) == text


def test_stand_in_task_belongs_to_one_instance() -> None:
    first, second = BackUp(site="a"), BackUp(site="a")

    first.task.cancelled = True

    assert not second.task.cancelled


@pytest.mark.parametrize("name", taskd.__all__)
def test_every_public_name_is_there_and_has_its_type(name: str) -> None:
    stub = (taskd.__file__ or "") + "i"

    assert getattr(taskd, name) is not None
    with open(stub) as file:
        assert f"import {name} as {name}\n" in file.read()


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Acton'"):
        _ = taskd.Acton  # type: ignore[attr-defined]  # so it is
