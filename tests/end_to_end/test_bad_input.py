"""What people type wrongly is answered with what is wrong, a remedy and an exit code; no more."""

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from real_daemon import COMMANDS, Daemon, eventually

ACTION = """\
label: backup.site
input: {site: str, count: {type: int, default: 3}, tags: {type: list, default: []}}
steps:
  work: {shell: 'true'}
"""


@pytest.fixture
def backup(daemon: Daemon) -> Daemon:
    """A daemon that knows the action `backup.site`."""
    daemon.write_action("backup.yaml", ACTION)
    daemon.start()
    return daemon


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["run", "backup.sit", "site=a"], 3, "did you mean 'backup.site'?"),
        (["run", "nothing.like.it"], 3, "taskctl actions"),
        (["run", "backup.site"], 2, "'site' is missing"),
        (
            ["run", "backup.site", "site=a", "sites=b"],
            2,
            "'sites' is unknown; did you mean 'site'?",
        ),
        (["run", "backup.site", "site=a", "count=many"], 2, "count"),
        (["run", "backup.site", "site=a", "count:=1.5"], 2, "count"),
        (["run", "backup.site", "site=a", "tags=notalist"], 2, "tags"),
        (["run", "backup.site", "site:=5"], 2, "site"),
        (["run", "backup.site", "site:={"], 2, "JSON"),
        (["run", "backup.site", "site=a", "site=b"], 2, "site is given twice"),
        (["run", "backup.site", "word"], 2, "expected KEY=VALUE"),
        (["run", "backup.site", "--input", "{no json"], 2, "cannot read --input as JSON"),
        (["run", "backup.site", "--input", "[1]"], 2, "expected a JSON object"),
        (["run", "backup.site", "--input", '{"site": NaN}'], 2, "NaN"),
        (["run", "backup.site", "--input", "@none.json"], 2, "none.json"),
        (["run", "backup.site", "--input", '{"site": 5}'], 2, "site"),
        (["run", "./none.yaml"], 2, "none.yaml"),
        (["run", "/"], 2, "/"),
        (["run"], 2, "ACTION"),
        (["run", "backup.site", "site=a", "--lock", "nocolon"], 2, "type:id"),
        (["exec", "--lock", "a/b:c", "--", "true"], 2, "resource 'a', operation 'b:c'; expected"),
        (["run", "backup.site", "site=a", "--priority", "high"], 2, "priority"),
        (["run", "backup.site", "site=a", "--prority", "1"], 2, "--priority"),
        (["exec"], 2, "COMMAND"),
        (["exec", "--", ""], 2, "command"),
        (["exec", "--time-limit", "soon", "--", "true"], 2, "soon"),
        (["exec", "--time-limit", "0", "--", "true"], 2, "limit"),
        (["exec", "--retry", "-1", "--", "true"], 2, "retry"),
        (["exec", "--rescue", "maybe", "--", "true"], 2, "rescue"),
        (["exec", "--env", "novalue", "--", "true"], 2, "NAME=VALUE"),
        (["exec", "--key", "", "--", "true"], 2, "key"),
        (["show", "12345"], 3, "12345"),
        (["show", "x"], 2, "no task id"),
        (["show", "@last"], 3, "task"),
        (["show", "99999999999999999999999999"], 3, "task"),
        (["logs", "12345"], 3, "12345"),
        (["wait", "12345"], 3, "12345"),
        (["resume", "12345"], 3, "12345"),
        (["cancel", "12345"], 3, "12345"),
        (["cancel"], 2, "task ids"),
        (["unlock"], 2, "task ids"),
        (["unlock", "12345"], 3, "12345"),
        (["resume", "1", "--secret", "hush"], 2, "expected NAME=@FILE"),
        (["actions", "backup.sit"], 3, "did you mean"),
        (["lst"], 2, "did you mean 'list'?"),
        (["list", "-o", "xml"], 2, "xml"),
        (["list", "--limit", "-1"], 2, "limit"),
    ],
)
def test_mistake_is_named_with_its_remedy(
    backup: Daemon, words: list[str], code: int, told: str
) -> None:
    done = backup.taskctl(*words)

    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert backup.task_count() == 0


BROKEN = [
    ("label: x\nsteps:\n  a: {shell: [}\n", 3),
    ("label: x\nstep:\n  a: {shell: 'true'}\n", 2),
    ("label: x\nsteps:\n  a: {shell: 'true'}\n  a: {shell: 'false'}\n", 4),
    ("label: x\nsteps:\n  a: {shel: 'true'}\n", 3),
    ("label: x\ninput: {site: strin}\nsteps:\n  a: {shell: 'true'}\n", 2),
    ("label: x\ntitle: Hi {nobody}\nsteps:\n  a: {shell: 'true'}\n", 2),
    ("label: x\nsteps:\n  a: {shell: 'true', timeout: soon}\n", 3),
    ("label: x\nsteps:\n  PATH: {shell: 'true'}\n", 3),
    ("label: x\n", 1),
    ("- just\n- a list\n", 1),
    ("", 1),
    ("label: !!python/object/apply:os.system ['touch pwned']\nsteps: {a: {shell: 'true'}}\n", 1),
]


@pytest.mark.parametrize(("text", "line"), BROKEN)
def test_broken_definition_is_named_by_file_and_line(running: Daemon, text: str, line: int) -> None:
    file = running.root / "broken.yaml"
    file.write_text(text)

    started = running.taskctl("run", file)

    assert started.returncode == 2, started.stderr
    assert f"{file}:{line}:" in started.stderr
    assert running.task_count() == 0
    assert not (running.root / "pwned").exists()


@pytest.mark.parametrize(("text", "line"), BROKEN)
def test_broken_action_file_is_listed_by_file_and_line(
    running: Daemon, text: str, line: int
) -> None:
    file = running.write_action("broken.yaml", text)
    running.write_action("fine.yaml", ACTION)

    [broken] = running.json("actions", "--broken")["items"]

    assert (broken["file"], broken["line"]) == (str(file), line)
    assert [one["label"] for one in running.json("actions")["items"]] == ["backup.site"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import taskd\ndef f(:\n", 2),
        ("\n\nraise ValueError('no')\n", 3),
        ("import sys\nsys.exit(3)\n", 2),
        ("from taskd import Action, step\nclass A(Action):\n    @step\n    def b(self, c): 0\n", 4),
        ("from taskd import Action\nclass A(Action, label='a b'):\n    x: int\n", 2),
    ],
)
def test_broken_python_file_is_listed_by_file_and_line(
    running: Daemon, text: str, line: int
) -> None:
    file = running.write_action("broken.py", text)
    running.write_action("fine.yaml", ACTION)

    [broken] = running.json("actions", "--broken")["items"]

    assert (broken["file"], broken["line"]) == (str(file), line)
    assert [one["label"] for one in running.json("actions")["items"]] == ["backup.site"]


@pytest.mark.parametrize("how", ["os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_file_that_ends_its_loader_keeps_no_other_from_loading(running: Daemon, how: str) -> None:
    running.write_action("broken.py", f"import os\n{how}\n")
    running.write_action("fine.yaml", ACTION)

    asked = running.taskctl("actions", "--broken")

    assert "broken.py" in asked.stdout + asked.stderr
    assert running.taskctl("run", "backup.site", "site=blog", "--wait").returncode == 0


def test_input_that_is_too_large_is_refused_with_the_remedy(running: Daemon) -> None:
    file = running.root / "input.json"
    file.write_text(json.dumps({"a": "x" * (17 << 20)}))

    refused = running.taskctl("run", "x", "--input", f"@{file}")

    assert refused.returncode == 2
    assert "larger than 16 MiB\n  hint: put large data in a file" in refused.stderr


def test_daemon_that_ends_while_one_waits_leaves_one_knowing_how_to_go_on(running: Daemon) -> None:
    command = [str(COMMANDS / "taskctl"), "exec", "--wait", "--", "sleep", "60"]
    waiting = subprocess.Popen(
        command,
        env=running.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    eventually(lambda: running.task_count() == 1)

    running.taskd("stop")

    _, told = waiting.communicate(timeout=30)
    assert waiting.returncode == 6
    assert "hint: task 1 goes on; taskd start, then taskctl wait 1" in told


def test_second_daemon_is_refused(running: Daemon) -> None:
    again = running.taskd("run")

    assert again.returncode == 75
    assert f"another daemon (pid {running.pid})" in again.stderr
    assert running.taskctl("list").returncode == 0


def test_socket_that_a_killed_daemon_left_is_taken_over(running: Daemon) -> None:
    running.kill_9()
    assert running.socket.exists()

    asked = running.taskctl("list")
    running.start()

    assert asked.returncode == 6
    assert "left over" in asked.stderr
    assert "taskd start" in asked.stderr
    assert running.taskctl("list").returncode == 0


def test_socket_at_which_something_else_listens_is_left_to_it(daemon: Daemon) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(daemon.socket))
        listener.listen()

        refused = daemon.taskd("start")

    assert refused.returncode == 78
    assert f"cannot listen at {daemon.socket}: somebody else does" in refused.stderr
    assert daemon.socket.exists()


def test_no_daemon_says_which_socket_and_what_to_type(daemon: Daemon) -> None:
    asked = daemon.taskctl("list")

    assert (asked.returncode, asked.stdout) == (6, "")
    assert str(daemon.socket) in asked.stderr
    assert "taskd start" in asked.stderr


def test_no_daemon_is_an_object_for_programs(daemon: Daemon) -> None:
    asked = daemon.taskctl("list", "-o", "json")

    assert asked.returncode == 6
    assert '"code": "unavailable"' in asked.stderr


def test_socket_that_is_no_socket_is_unreachable(daemon: Daemon) -> None:
    file = daemon.root / "file"
    file.touch()

    asked = daemon.taskctl("--socket", file, "list")

    assert asked.returncode == 6
    assert str(file) in asked.stderr


def test_socket_of_something_else_is_unreachable_or_said_to_be_strange(daemon: Daemon) -> None:
    path = daemon.root / "strange.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        process = subprocess.Popen(
            [str(COMMANDS / "taskctl"), "--socket", str(path), "list"],
            stderr=subprocess.PIPE,
            text=True,
        )
        peer, _ = listener.accept()
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        peer.close()
        _, told = process.communicate(timeout=30)

    assert process.returncode in (1, 6)
    assert "Traceback" not in told


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_another_user_is_not_let_in(running: Daemon) -> None:
    running.root.chmod(0o755)
    running.state.chmod(0o755)

    asked = as_nobody(running, "list")

    assert asked.returncode in (4, 6)
    assert "Traceback" not in asked.stderr
    assert "permission denied" in asked.stderr.lower()
    assert str(running.socket) in asked.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_another_user_who_gets_to_the_socket_may_do_nothing(running: Daemon) -> None:
    running.root.chmod(0o755)
    running.state.chmod(0o755)
    running.socket.chmod(0o777)

    asked = as_nobody(running, "exec", "--", "true")

    assert asked.returncode == 4
    assert running.task_count() == 0


def as_nobody(daemon: Daemon, *words: str) -> subprocess.CompletedProcess[str]:
    """`taskctl` as a user who owns nothing; without the installed command, if that is private."""
    command = shutil.which("setpriv")
    if command is None:
        pytest.skip("needs setpriv")
    done = subprocess.run(
        [command, "--reuid", "1", "--regid", "1", "--clear-groups",
         str(COMMANDS / "taskctl"), "--socket", str(daemon.socket), *words],
        cwd="/",
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    if done.returncode in (126, 127) or "ModuleNotFoundError" in done.stderr:
        pytest.skip("other users cannot run the command, which is in a private folder")
    return done


def test_configuration_with_an_unknown_key_is_named_by_line(daemon: Daemon) -> None:
    (daemon.state / "taskd.yaml").write_text("settings:\n  cancel_grace: 5s\n  log_limits: 1\n")

    started = daemon.taskd("start")

    assert started.returncode == 78
    assert f"{daemon.state / 'taskd.yaml'}:3: unknown setting 'log_limits'" in started.stderr


def test_state_directory_that_cannot_be_made_is_said(daemon: Daemon) -> None:
    file = daemon.root / "file"
    file.touch()

    started = daemon.taskd("start", "--state-dir", str(file / "below"))

    assert started.returncode == 78
    assert str(Path(file, "below")) in started.stderr


def test_socket_path_that_is_too_long_is_said(daemon: Daemon) -> None:
    started = daemon.taskd("start", "--socket", str(daemon.root / ("x" * 120)))

    assert started.returncode in (1, 2, 78)
    assert "Traceback" not in started.stderr
    assert "long" in started.stderr
