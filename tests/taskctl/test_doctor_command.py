"""`doctor`: the worst first, what to type, and an exit code for scripts."""

import json

import pytest
from scripted_daemon import Refusal

from taskctl import VERSION

CHECKS = [
    {"name": "disk", "severity": "ok", "message": "73 GiB free", "remedy": ""},
    {"name": "clock", "severity": "note", "message": "nothing keeps it", "remedy": "timedatectl"},
    {"name": "locks", "severity": "warning", "message": "old\x1b[2J", "remedy": "taskctl locks"},
    {"name": "store", "severity": "problem", "message": "damaged", "remedy": "taskd restore"},
]


def test_findings_are_grouped_the_worst_first_with_what_to_type(run, daemon):
    daemon.answers["doctor.look"] = CHECKS

    ran = run("doctor")

    assert ran.out.splitlines() == [
        "1 problem",
        "  store  damaged",
        "         taskd restore",
        "1 warning",
        "  locks  old\\x1b[2J",
        "         taskctl locks",
        "1 note",
        "  clock  nothing keeps it",
        "         timedatectl",
        "1 in order",
        "  disk  73 GiB free",
    ]
    assert daemon.parameters("doctor.look") == {"client": VERSION}


@pytest.mark.parametrize(("checks", "code"), [(CHECKS, 1), (CHECKS[:3], 0)])
def test_only_problems_make_it_fail(run, daemon, checks, code):
    daemon.answers["doctor.look"] = checks

    assert run("doctor").code == code


def test_as_json_it_is_one_object(run, daemon):
    daemon.answers["doctor.look"] = CHECKS

    assert run("doctor", "-o", "json").json == {"checks": CHECKS}
    assert run("doctor", "-o", "name").out.split() == ["disk", "clock", "locks", "store"]


def test_daemon_that_is_too_old_to_be_asked_is_to_be_restarted(run, daemon):
    def refuse(_parameters):
        raise Refusal("protocol", "no method 'doctor.look'")

    daemon.answers["doctor.look"] = refuse

    ran = run("doctor", "-o", "json")

    assert ran.code == 1
    assert ran.json["checks"][0]["remedy"] == "taskd restart"


def test_without_a_daemon_there_are_findings_and_an_error(run, tmp_path, monkeypatch):
    monkeypatch.setenv("TASKD_STATE_DIR", str(tmp_path))

    ran = run("doctor", "-o", "json", "--socket", str(tmp_path / "no.sock"))

    assert ran.code == 6
    assert json.loads(ran.err)["error"]["code"] == "unavailable"
    assert ran.json["checks"][0]["remedy"] == "taskd start"
