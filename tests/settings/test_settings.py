"""Where a setting's value comes from, and what is said of a wrong one."""

from datetime import timedelta
from pathlib import Path

import pytest

from taskd.config_file import Given, find_unused
from taskd.engine.engine import action_folders
from taskd.model.errors import InvalidInput, StoreError
from taskd.model.setting import Source
from taskd.places import Places
from taskd.settings import DEFAULTS, FIELDS, Settings, load


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "taskd.yaml"


def test_missing_file_means_defaults(config: Path) -> None:
    settings = load(config, {})

    assert settings == Settings()
    assert settings.cancel_grace == timedelta(seconds=10)
    assert settings.log_limit == 64 * 1024**2
    assert settings.allow_dangerous_actions is False


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "settings:\n", "settings: {}\n"])
def test_empty_file_means_defaults(config: Path, text: str) -> None:
    config.write_text(text)

    assert load(config, {}) == Settings()


def test_file_goes_before_default(config: Path) -> None:
    config.write_text(
        "settings:\n"
        "  allow_dangerous_actions: true\n"
        "  executor_slots: 8\n"
        "  cancel_grace: 5s\n"
        "  stop_grace: 90\n"
        "  log_limit: 1 MiB\n"
        "  durability: normal\n"
    )

    assert load(config, {}) == Settings(
        allow_dangerous_actions=True,
        executor_slots=8,
        cancel_grace=timedelta(seconds=5),
        stop_grace=timedelta(seconds=90),
        log_limit=1024**2,
        durability="normal",
    )


def test_environment_goes_before_file(config: Path) -> None:
    config.write_text("settings:\n  cancel_grace: 5s\n  executor_slots: 8\n")

    settings = load(config, {"TASKD_CANCEL_GRACE": "1m", "TASKD_STATE_DIR": "/nowhere"})

    assert settings == Settings(cancel_grace=timedelta(minutes=1), executor_slots=8)


def test_stored_value_goes_before_the_default_and_behind_the_file(config: Path) -> None:
    config.write_text("settings:\n  cancel_grace: 5s\n")
    stored = {"cancel_grace": Given("1s", "ana"), "executor_slots": Given("7", "ana")}

    settings = load(config, {"TASKD_LOG_LIMIT": "1k"}, stored)

    assert settings == Settings(cancel_grace=timedelta(seconds=5), executor_slots=7, log_limit=1024)
    assert settings.origin("executor_slots") == (Source.STORED, "ana")
    assert settings.origin("cancel_grace") == (Source.FILE, f"{config}:2")
    assert settings.origin("log_limit") == (Source.ENVIRONMENT, "TASKD_LOG_LIMIT")
    assert settings.origin("stop_grace") == (Source.DEFAULT, "")


def test_stored_value_that_cannot_be_read_is_passed_over_and_told(config: Path) -> None:
    stored = {"gone": Given("1", "ana"), "executor_slots": Given("0", "ana")}

    settings = load(config, {}, stored | {"stop_grace": Given("1m", "ana")})

    assert settings == Settings(stop_grace=timedelta(minutes=1))
    assert [line.partition(": ")[2] for line in settings.passed_over] == [
        "unknown setting 'gone'",
        "executor_slots: cannot read '0' as a whole number from 1 to 10000",
    ]


def test_value_that_is_not_stored_any_more_is_the_default(config: Path) -> None:
    settings = load(config, {}, {"executor_slots": Given("7", "ana")})

    taken_back = settings.with_stored("executor_slots", None)

    assert taken_back == DEFAULTS
    assert taken_back.origin("executor_slots").source is Source.DEFAULT


def test_what_is_stored_changes_nothing_of_what_the_file_says(config: Path) -> None:
    config.write_text("settings:\n  executor_slots: 8\n")
    settings = load(config, {})

    assert settings.with_stored("executor_slots", Given("7", "ana")) is settings
    assert settings.with_stored("executor_slots", None) is settings
    with pytest.raises(InvalidInput):
        settings.with_stored("executor_slots", Given("many", "ana"))


def test_settings_may_be_called_as_in_the_manual(config: Path) -> None:
    config.write_text(
        "settings:\n"
        "  dynflow_allow_dangerous_actions: true\n"
        "  foreman_tasks_proxy_action_retry_interval: 20\n"
    )

    assert load(config, {}) == Settings(
        allow_dangerous_actions=True, proxy_action_retry_interval=timedelta(seconds=20)
    )


def test_setting_given_by_both_of_its_names_is_an_error(config: Path) -> None:
    config.write_text("settings:\n  enable_console: true\n  dynflow_enable_console: false\n")

    with pytest.raises(StoreError, match=f"{config}:3: it is set twice, first at {config}:2"):
        load(config, {})


def test_wrong_value_in_the_file_is_an_error_whatever_the_environment_says(config: Path) -> None:
    config.write_text("settings:\n  executor_slots: many\n")

    with pytest.raises(StoreError, match="cannot read 'many'"):
        load(config, {"TASKD_EXECUTOR_SLOTS": "2"})


def test_own_searches_in_one_line_are_json(config: Path) -> None:
    environment = {"TASKD_SEARCHES": '{"stuck": "state = paused"}'}

    assert load(config, environment).searches == {"stuck": "state = paused"}


@pytest.mark.parametrize("text", ["stuck", "[1]", '{"stuck": 3}', '{"a b": "id = 1"}'])
def test_other_lines_are_no_searches(config: Path, text: str) -> None:
    with pytest.raises(StoreError, match="TASKD_SEARCHES: searches: "):
        load(config, {"TASKD_SEARCHES": text})


def test_table_shows_values_as_json(config: Path) -> None:
    environment = {"TASKD_STOP_GRACE": "1500ms", "TASKD_ACTION_PATHS": "/a:b"}
    found = {setting.name: setting for setting in load(config, environment).table()}

    assert list(found) == list(FIELDS)
    assert (found["stop_grace"].value, found["stop_grace"].default) == (1.5, 60)
    assert found["stop_grace"].unit == "seconds"
    assert found["action_paths"].value == ["/a", "b"]
    assert found["durability"].at_start


def test_slots_of_labels_are_a_mapping_or_one_line(config: Path) -> None:
    config.write_text("settings:\n  action_slots:\n    backup.site: 2\n    notify: 1\n")
    slots = {"backup.site": 2, "notify": 1}

    assert load(config, {}).action_slots == slots
    assert load(config, {"TASKD_ACTION_SLOTS": "backup.site=2, notify=1"}).action_slots == slots
    assert load(config, {"TASKD_ACTION_SLOTS": ""}).action_slots == {}


def test_relative_action_folders_are_beside_the_file(config: Path) -> None:
    config.write_text("settings:\n  action_paths: [more, /srv/actions]\n")

    places = Places(config, config.parent / "actions", config.parent, config.parent / "s")
    folders = action_folders(places, load(config, {}))

    assert folders == [str(config.parent / "actions"), str(config.parent / "more"), "/srv/actions"]


def test_action_folders_in_the_environment_stand_between_colons(config: Path) -> None:
    settings = load(config, {"TASKD_ACTION_PATHS": "/srv/a:/srv/b"})

    assert settings.action_paths == (Path("/srv/a"), Path("/srv/b"))


def test_other_sections_of_the_file_are_left_alone(config: Path) -> None:
    config.write_text(
        'notify:\n  - {on: [paused], command: "mail ops"}\n'
        "cleanup: {after: 365d}\nroles: {}\ngrants: []\nsettings: {executor_slots: 2}\n"
    )

    assert load(config, {}) == Settings(executor_slots=2)


def test_sections_without_an_effect_are_named_by_line(config: Path) -> None:
    config.write_text("roles: {}\nsettings: {executor_slots: 2}\ngrants: []\n")

    assert find_unused(config) == [
        f"{config}:1: the section 'roles' has no effect in this version",
        f"{config}:3: the section 'grants' has no effect in this version",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cancel_grase: 5s", "unknown setting 'cancel_grase'; did you mean 'cancel_grace'?"),
        ("on: 5s", "unknown setting 'on'"),
        ("cancel_grace: soon", "cancel_grace: cannot read 'soon' as a length of time"),
        ("cancel_grace:", "cancel_grace: cannot read '' as a length of time"),
        ("executor_slots: 0", "executor_slots: cannot read '0' as a whole number from 1 to 10000"),
        ("executor_slots: 2.5", "executor_slots: cannot read '2.5' as a whole number"),
        ("executor_slots: [1]", "executor_slots: it is a list: expected one value"),
        ("log_limit: 3 apples", "log_limit: cannot read '3 apples' as a size"),
        ("durability: some", "durability: 'some' is none of full, normal"),
        ("enable_console: maybe", "enable_console: cannot read 'maybe' as true or false"),
        ("log_limit: {a: 1}", "log_limit: it is a mapping: expected one value"),
        ("log_limit: {a: [1]}", "the values of 'log_limit' must be plain ones"),
        ("action_paths: {a: 1}", "action_paths: it is a mapping: expected one value"),
        ("action_slots: 3", "action_slots: cannot read '3': expected label=number"),
        ("action_slots: a=1, b", "action_slots: cannot read 'b': expected label=number"),
        ("action_slots: a=1, a=2", "action_slots: 'a' stands there twice"),
        ("action_slots: {a: 1, a: 2}", "'a' stands here twice, first in line 3"),
        (
            "action_slots: {a: 0}",
            "action_slots: 'a': cannot read '0' as a whole number from 1 to 10000",
        ),
        ("action_slots: {a: x}", "action_slots: 'a': cannot read 'x' as a whole number"),
        ("action_slots: [a]", "action_slots: it is a list: expected one value"),
        ("action_paths: [[a]]", "the items of 'action_paths' must be plain values"),
        ("? [a]\n  : 1", "a key must be a plain name"),
    ],
)
def test_wrong_setting_is_named_with_file_and_line(config: Path, line: str, message: str) -> None:
    config.write_text(f"# ours\nsettings:\n  {line}\n")

    with pytest.raises(StoreError) as caught:
        load(config, {})

    assert caught.value.message.startswith(f"{config}:3: {message}")
    assert caught.value.exit_code == 78


def test_all_wrong_settings_are_named_at_once(config: Path) -> None:
    config.write_text("settings:\n  executor_slots: x\n  durability: y\n")

    with pytest.raises(StoreError) as caught:
        load(config, {"TASKD_LOG_LIMIT": "z"})

    wheres = [line.split(": ")[0] for line in caught.value.message.splitlines()]
    assert wheres == [f"{config}:2", f"{config}:3", "TASKD_LOG_LIMIT"]


def test_setting_given_twice_is_an_error(config: Path) -> None:
    config.write_text("settings:\n  executor_slots: 1\n  executor_slots: 2\n")

    with pytest.raises(StoreError, match="'executor_slots' stands here twice, first in line 2"):
        load(config, {})


def test_unknown_section_is_an_error_with_a_guess(config: Path) -> None:
    config.write_text("setting:\n  executor_slots: 1\n")

    with pytest.raises(StoreError, match="1: unknown section 'setting'; did you mean 'settings'"):
        load(config, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("settings: [a\n", ":2: this is no YAML"),
        ("- a\n", ":1: the file must be a mapping"),
        ("settings: 3\n", ":1: settings must be a mapping"),
    ],
)
def test_file_that_is_no_mapping_is_an_error(config: Path, text: str, message: str) -> None:
    config.write_text(text)

    with pytest.raises(StoreError) as caught:
        load(config, {})

    assert message in caught.value.message


def test_file_that_cannot_be_read_is_an_error(config: Path) -> None:
    config.write_bytes(b"settings: {executor_slots: \xff}")

    with pytest.raises(StoreError, match="cannot read"):
        load(config, {})


def test_reason_why_a_file_cannot_be_read_is_told_once(config: Path) -> None:
    config.mkdir()

    with pytest.raises(StoreError) as caught:
        load(config, {})

    assert caught.value.message == f"cannot read {config}: Is a directory"


def test_every_setting_has_help_in_one_sentence() -> None:
    helps = [setting.metadata["help"] for setting in FIELDS.values()]

    assert all(text and not text.endswith(".") for text in helps)
