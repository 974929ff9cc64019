"""`taskctl settings`, by a scripted daemon's answers."""

import pytest

from taskctl.view.settings import origin, written


def a_setting(**changes):
    setting = {
        "name": "executor_slots", "value": 8, "default": 4, "unit": "steps", "source": "file",
        "where": "/c/taskd.yaml:3", "at_start": False, "help": "how many steps run",
    }  # fmt: skip
    return setting | changes


@pytest.mark.parametrize("words", [["settings"], ["settings", "list"]])
def test_list_tells_where_each_came_from(run, daemon, words):
    by_ana = {"source": "stored", "where": "ana, 2025-11-03 12:00:00 UTC"}
    others = [a_setting(**by_ana), a_setting(source="default", where="")]
    daemon.answers["settings.find"] = [a_setting(), *others]

    lines = run(*words).out.splitlines()

    assert lines[0].split() == ["name", "value", "default", "source", "help"]
    assert lines[1].split()[:4] == ["executor_slots", "8", "4", "taskd.yaml:3"]
    assert "  set by ana " in lines[2]
    assert "  default  " in lines[3]


@pytest.mark.parametrize("words", [["settings", "-o", "json"], ["-o", "json", "settings", "list"]])
def test_list_as_json_is_as_on_the_wire(run, daemon, words):
    daemon.answers["settings.find"] = [a_setting()]

    assert run(*words).json == {"total": 1, "items": [a_setting()]}


def test_get_prints_the_value_alone(run, daemon):
    daemon.answers["settings.get"] = a_setting(value=90, unit="seconds")

    assert run("settings", "get", "stop_grace").out == "1m30s\n"
    assert daemon.parameters("settings.get") == {"name": "stop_grace"}


@pytest.mark.parametrize("words", [["set", "executor_slots", "8"], ["unset", "executor_slots"]])
def test_change_says_what_holds_then(run, daemon, words):
    setting = a_setting(source="stored", where="ana, 2025-11-03 12:00:00 UTC")
    daemon.answers[f"settings.{words[0]}"] = setting

    assert run("settings", *words).out == (
        "executor_slots is 8 (set by ana, 2025-11-03 12:00:00 UTC)\n"
    )
    assert run("settings", *words, "-o", "json").json == setting


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (True, "", "true"),
        (8, "steps", "8"),
        (0.5, "seconds", "0.5s"),
        (172800, "seconds", "2d"),
        (64 << 20, "bytes", "64 MiB"),
        (["/srv/a", "more"], "", "/srv/a:more"),
        ({"backup": 2, "b": 1}, "steps", "backup=2,b=1"),
        ({"stuck": "state = paused"}, "", '{"stuck": "state = paused"}'),
        ({}, "", ""),
        ("full", "", "full"),
    ],
)
def test_value_is_written_as_it_is_set(value, unit, text):
    assert written(a_setting(value=value, unit=unit), "value") == text


def test_default_has_no_other_origin():
    assert origin(a_setting(source="default", where="")) == "default"


def test_hostile_value_is_inert(run, daemon):
    daemon.answers["settings.get"] = a_setting(value="\x1b[2J")

    assert "\x1b" not in run("settings", "get", "x").out
