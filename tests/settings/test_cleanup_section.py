"""The section `cleanup`, and what is said of a wrong one."""

from datetime import timedelta
from pathlib import Path

import pytest

from taskd.cleaning import Backup, Cleaning, Rule, load
from taskd.model.errors import StoreError
from taskd.model.task import State

DAY = timedelta(days=1)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "taskd.yaml"


def test_without_a_section_nothing_is_deleted_by_itself(config: Path) -> None:
    config.write_text("settings: {}\n")

    assert load(config, {}) == Cleaning(daily=False)


@pytest.mark.parametrize("text", ["cleanup:\n", "cleanup: {}\n"])
def test_with_an_empty_section_actions_say_it_and_that_daily(config: Path, text: str) -> None:
    config.write_text(text)

    assert load(config, {}) == Cleaning(daily=True)


def test_section_of_the_manual(config: Path) -> None:
    config.write_text(
        "cleanup:\n"
        "  after: 365d\n"
        "  actions:\n"
        '    - {name: backup.site, after: 10d, filter: "result = success"}\n'
        "    - {name: [a, b], after: 12h}\n"
        "  rules:\n"
        '    - {filter: "@stuck", after: 30d, states: [paused, stopped]}\n'
        "    - {states: all, after: 1y, override_actions: true}\n"
        "  backup: {enabled: false, keep: 7d, max_size: 10 MiB}\n"
        "  daily: false\n"
    )

    assert load(config, {"stuck": "state = paused"}) == Cleaning(
        after=365 * DAY,
        actions=(
            Rule(10 * DAY, ("backup.site",), "result = success"),
            Rule(DAY / 2, ("a", "b")),
        ),
        rules=(
            Rule(30 * DAY, (), "@stuck", (State.PAUSED, State.STOPPED)),
            Rule(365 * DAY, (), "", tuple(State), True),
        ),
        backup=Backup(False, 7 * DAY, 10 << 20),
        daily=False,
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("aftr: 3d", "unknown key 'aftr'; did you mean 'after'?"),
        ("bogus: 3d", "unknown key 'bogus'; there are after, daily, actions, rules, backup"),
        ("after: 10", "after: cannot read '10' as a period: expected a number and a unit"),
        ("after: 10x", "after: cannot read '10x' as a length of time"),
        ("after: -5d", "after: cannot read '-5d' as a length of time"),
        ("after: [3d]", "after: it is a list: expected one value"),
        ("daily: maybe", "daily: cannot read 'maybe' as true or false"),
        ("actions: {name: a}", "actions must be a list"),
        ("actions: [{name: a}]", "expected after, as in after: 30d"),
        ("actions: [{after: 1d}]", "expected name, as in name: backup.site"),
        ("actions: [{name: [], after: 1d}]", "name: expected the label of an action"),
        ("actions: [{name: a, after: 1d, states: all}]", "unknown key 'states'"),
        ("rules: [{filter: 'result = success'}]", "expected after, as in after: 30d"),
        ("rules: [{after: 1d, filter: 'result = sucess'}]", "filter: result is one of pending"),
        ("rules: [{after: 1d, filter: 'started_at > soon'}]", "filter: cannot read this as a time"),
        ("rules: [{after: 1d, filter: ' '}]", "filter: it is empty: leave it out"),
        ("rules: [{after: 1d, filter: '@stuck'}]", "filter: "),
        ("rules: [{after: 1d, states: stoped}]", "states: no state 'stoped'; did you mean 'stopp"),
        ("rules: [{after: 1d, states: [paused, all]}]", "states: 'all' stands alone"),
        ("rules: [{after: 1d, override_actions: 2}]", "override_actions: cannot read '2'"),
        ("backup: {keep: 5}", "keep: cannot read '5' as a period"),
        ("backup: {max_size: big}", "max_size: cannot read 'big' as a size"),
        ("backup: {dir: /tmp}", "unknown key 'dir'"),
        ("backup: yes", "backup must be a mapping"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(config: Path, line: str, message: str) -> None:
    config.write_text(f"settings: {{}}\ncleanup:\n  {line}\n")

    with pytest.raises(StoreError) as caught:
        load(config, {})

    assert caught.value.message.startswith(f"{config}:3: {message}")
    assert caught.value.exit_code == 78


def test_all_that_is_wrong_is_named_at_once(config: Path) -> None:
    config.write_text("cleanup:\n  after: 3\n  rules:\n    - {after: 1d}\n    - {after: 2}\n")

    with pytest.raises(StoreError) as caught:
        load(config, {})

    places = [line.split(": ")[0] for line in caught.value.message.splitlines()]
    assert places == [f"{config}:2", f"{config}:5"]
