"""The rules of the section `notify`, and what is said of a wrong one."""

from pathlib import Path

import pytest

from taskd.model.errors import StoreError
from taskd.notifications import Rule, load


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "taskd.yaml"


@pytest.mark.parametrize("text", ["", "settings: {}\n", "notify:\n", "notify: []\n"])
def test_without_rules_nobody_is_told(config: Path, text: str) -> None:
    config.write_text(text)

    assert load(config) == ()


def test_missing_file_means_no_rules(config: Path) -> None:
    assert load(config) == ()


def test_each_rule_has_its_events_and_one_way(config: Path) -> None:
    config.write_text(
        "notify:\n"
        '  - {on: [paused, error], command: "mail -s taskd ops"}\n'
        "  - on: [long_running, skipped]\n"
        "    mail: root, ops+night@example.org\n"
        '  - {on: [success], webhook: "https://example.org:8443/hook?token=x"}\n'
    )

    rules = load(config)

    assert rules == (
        Rule(frozenset(("paused", "error")), "command", "mail -s taskd ops", ""),
        Rule(frozenset(("long_running", "skipped")), "mail", "root, ops+night@example.org", ""),
        Rule(frozenset(("success",)), "webhook", "https://example.org:8443/hook?token=x", ""),
    )
    assert [rule.where for rule in rules] == [f"{config}:{line}" for line in (2, 3, 5)]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{on: [paused]}", "expected one of command, mail, webhook"),
        ("{on: [paused], command: a, mail: b}", "expected one of command, mail, webhook"),
        ("{command: a}", "expected on, a list of events"),
        ("{on: [], command: a}", "on: expected a list of events, as in [paused, error]"),
        ("{on: paused, command: a}", "on: expected a list of events"),
        ("{on: {paused: 1}, command: a}", "on: expected a list of events"),
        ("{on: [pause], command: a}", "on: unknown event 'pause'; did you mean 'paused'?"),
        ("{on: [stopped], command: a}", "on: unknown event 'stopped'"),
        ("{on: [[paused]], command: a}", "the items of 'on' must be plain values"),
        ("{on: [paused], comand: a}", "unknown key 'comand'; did you mean 'command'?"),
        ("{on: [paused], command: a, filter: b}", "unknown key 'filter'; there are on, command"),
        ("{on: [paused], on: [error], command: a}", "'on' stands here twice"),
        ("{on: [paused], command: ' '}", "command: expected a line for /bin/sh"),
        ("{on: [paused], command: [a, b]}", "command: it is a list: expected one value"),
        (r'{on: [paused], command: "a\0"}', "command: expected a line for /bin/sh"),
        ("{on: [paused], mail: ''}", "mail: cannot read '': expected addresses"),
        ("{on: [paused], mail: -oQ/tmp}", "mail: cannot read '-oQ/tmp': expected addresses"),
        ("{on: [paused], mail: a b}", "mail: cannot read 'a b': expected addresses"),
        (r'{on: [paused], mail: "a@b\nBcc: c@d"}', r"mail: cannot read 'a@b\nBcc: c@d'"),
        ("{on: [paused], webhook: example.org}", "webhook: expected a URL that begins with https"),
        ("{on: [paused], webhook: 'file:///etc/x'}", "webhook: expected a URL"),
        ("{on: [paused], webhook: 'http://'}", "webhook: expected a URL"),
        ("{on: [paused], webhook: 'http://a:b/'}", "webhook: expected a URL"),
        ("{on: [paused], webhook: 'http://a/ b'}", "webhook: expected a URL"),
        ("{on: [paused], webhook: 'http://ana:s3cr3t@a/'}", "webhook: a URL with a user is not"),
        ("text", "an item of notify must be a mapping"),
    ],
)
def test_wrong_rule_is_named_with_file_and_line(config: Path, rule: str, message: str) -> None:
    config.write_text(f"# ours\nnotify:\n  - {rule}\n")

    with pytest.raises(StoreError) as caught:
        load(config)

    assert caught.value.message.startswith(f"{config}:3: {message}")
    assert "s3cr3t" not in caught.value.message
    assert caught.value.exit_code == 78


def test_section_must_be_a_list(config: Path) -> None:
    config.write_text("notify: {on: [paused], command: a}\n")

    with pytest.raises(StoreError, match="1: notify must be a list, as in '- name: value'"):
        load(config)


def test_all_wrong_rules_are_named_at_once(config: Path) -> None:
    config.write_text("notify:\n  - {on: [paused]}\n  - on: [error]\n    mail: ''\n")

    with pytest.raises(StoreError) as caught:
        load(config)

    wheres = [line.split(": ")[0] for line in caught.value.message.splitlines()]
    assert wheres == [f"{config}:2", f"{config}:4"]
