"""The text of the units, as systemd will read it."""

import re
from pathlib import Path

import pytest

from taskd.model.errors import InvalidInput
from taskd.service.units import SERVICE, SOCKET, Start, like_caller, write_units

PLAIN = Start((), {}, ("/usr/bin/taskd",))
SOCKET_PATH = Path("/home/ana/taskd.sock")


def values(text: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def test_daemon_is_started_and_reloaded_by_the_same_program_and_options() -> None:
    text = write_units(Start(("--config", "/c"), {}, ("/usr/bin/taskd",)), SOCKET_PATH)[SERVICE]

    assert values(text, "ExecStart") == ["/usr/bin/taskd run --config /c"]
    assert values(text, "ExecReload") == ["/usr/bin/taskd reload --config /c"]


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/a/b-c_d.e:f@g", "/a/b-c_d.e:f@g"),
        ("/a b", '"/a b"'),
        ("/100%", '"/100%%"'),
        ("/$HOME", '"/$$HOME"'),
        ('/a"b', '"/a\\"b"'),
        ("/a\\b", '"/a\\\\b"'),
        ("/it's", '"/it\'s"'),
        (";", '";"'),
        ("/ünï", '"/ünï"'),
    ],
)
def test_word_of_a_command_is_quoted_where_it_must_be(word: str, written: str) -> None:
    text = write_units(Start((word,), {}, ("/usr/bin/taskd",)), SOCKET_PATH)[SERVICE]

    assert values(text, "ExecStart") == [f"/usr/bin/taskd run {written}"]


def test_program_begins_no_variable() -> None:
    text = write_units(Start((), {}, ("/$x/taskd",)), SOCKET_PATH)[SERVICE]

    assert values(text, "ExecStart") == ['"/$x/taskd" run']


def test_variables_are_written_without_meaning_for_systemd() -> None:
    start = Start((), {"TASKD_CONFIG": '/a $b %c "d"'}, ("/usr/bin/taskd",))

    text = write_units(start, SOCKET_PATH)[SERVICE]

    assert values(text, "Environment") == ['"TASKD_CONFIG=/a $b %%c \\"d\\""']


def test_socket_unit_listens_where_clients_look() -> None:
    text = write_units(PLAIN, Path("/home/an a/100%.sock"))[SOCKET]

    assert values(text, "ListenStream") == ["/home/an a/100%%.sock"]
    assert values(text, "SocketMode") == ["0600"]


@pytest.mark.parametrize(
    "path", ["/a\nb", "/a\tb", "/a ", "/a\\", "/a\x1b", "/a\udcff", "/" + "x" * 107]
)
def test_socket_that_no_unit_can_name_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match="cannot"):
        write_units(PLAIN, Path(path))


def test_variable_that_no_unit_can_hold_is_refused() -> None:
    with pytest.raises(InvalidInput, match="cannot write"):
        write_units(Start((), {"TASKD_CONFIG": "/a\nExecStart=/bin/sh"}), SOCKET_PATH)


def test_steps_survive_and_are_not_confined() -> None:
    text = write_units(PLAIN, SOCKET_PATH)[SERVICE]

    assert values(text, "KillMode") == ["process"]
    confining = r"^(Protect|Private|Restrict|SystemCall|NoNewPrivileges|Memory|Capability|ReadOnly)"
    assert re.findall(confining, text, re.MULTILINE) == []


def test_paths_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    start = like_caller({"state_dir": "s"}, {"TASKD_CONFIG": "c.yaml"})

    assert start.options == ("--state-dir", str(tmp_path / "s"))
    assert start.environment == {"TASKD_CONFIG": str(tmp_path / "c.yaml")}


def test_only_variables_that_say_where_things_are_become_part_of_the_unit() -> None:
    given = {
        "TASKD_STATE_DIR": "/s",
        "XDG_STATE_HOME": "/x",
        "XDG_CONFIG_HOME": "relative, and so without effect",
        "TASKD_CANCEL_GRACE": "1s",
        "TASKD_SOCKET": "",
    }

    assert like_caller({}, given).environment == {"TASKD_STATE_DIR": "/s", "XDG_STATE_HOME": "/x"}
