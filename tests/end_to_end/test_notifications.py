"""People are told what tasks have come to, and whoever cannot be told holds nothing up."""

import json
import os
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from real_daemon import Daemon, eventually, gone

from taskd.client import Client
from taskd.model.task import Result

SOON = 5.0  # seconds; far below the time that a command or webhook has
FAILING = """\
from taskd import Action, Rescue, step


class Fail(Action, label="fail", rescue=Rescue.FAIL):
    @step
    def work(self) -> None:
        raise ValueError("no room")
"""
SENDMAIL = """\
#!/bin/sh
echo "$*" >>{root}/arguments
cat >{root}/mail.$TASKD_TASK_ID.new
mv {root}/mail.$TASKD_TASK_ID.new {root}/mail.$TASKD_TASK_ID
"""
FORGED = "Back up\r\nBcc: eve@example.org\n\n.\n\x1b]0;owned\x07\u202e blög " + "x" * 300


class Site:
    """A web site on the loopback interface that takes what is posted, and answers as it is told."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, dict[str, Any]]] = []
        self.status = 204
        self.silent = threading.Event()
        self.silent.set()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                site.taken.append((self.path, self.headers["Content-Type"], json.loads(body)))
                site.silent.wait()
                self.send_response(site.status)
                self.send_header("Location", f"{site.url}/elsewhere")
                self.end_headers()

            def do_GET(self) -> None:
                site.taken.append((self.path, "", {}))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.silent.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


def notify(daemon: Daemon, *rules: dict[str, Any]) -> None:
    """JSON is YAML, too."""
    lines = [f"  - {json.dumps(rule)}" for rule in rules]
    (daemon.state / "taskd.yaml").write_text("\n".join(["notify:", *lines, ""]))


def into(file: Path) -> str:
    """A command that keeps what it is told, a line each time."""
    return f"(cat; echo) >>{file}"


def told(file: Path, count: int) -> list[Any]:
    """All that is in the file, once it is so much."""
    return [json.loads(line) for line in eventually(lambda: complete(file, count))]


def complete(file: Path, count: int) -> list[str]:
    """Its lines, if they are so many; while one is written it ends in none."""
    text = file.read_text() if file.exists() else ""
    return text.splitlines() if text.count("\n") >= count and text.endswith("\n") else []


def warnings(daemon: Daemon) -> list[str]:
    return [line.split(" WARNING ")[1] for line in daemon.log().splitlines() if "WARNING" in line]


def fail(daemon: Daemon, **options: Any) -> int:
    """The id of a task that has failed."""
    given = {"cwd": "/", "environment": {"PATH": os.defpath}} | options
    with Client(daemon.socket) as client:
        task = client.exec("echo no room >&2; exit 3", **given)
        assert client.wait(task.id, SOON * 4).result is Result.ERROR
    return task.id


def unchanging(task: Any) -> Any:
    return {name: value for name, value in task.items() if name not in ("duration", "event")}


def test_command_is_told_of_the_task_as_it_is_shown(daemon: Daemon) -> None:
    notify(daemon, {"on": ["paused", "error"], "command": into(daemon.root / "told")})
    daemon.start()

    assert daemon.wait(daemon.start_task("exec", "--", "true")) == 0
    paused = fail(daemon)
    told(daemon.root / "told", 1)
    failed = fail(daemon, rescue="fail")

    first, second = told(daemon.root / "told", 2)
    assert (first["event"], second["event"]) == ("paused", "error")
    assert unchanging(first) == unchanging(daemon.show(paused))
    assert unchanging(second) == unchanging(daemon.show(failed))
    assert [error["message"] for error in first["errors"]] == ["exit status 3: no room"]
    assert warnings(daemon) == []


def test_each_rest_is_told_once(daemon: Daemon) -> None:
    events = ["paused", "error", "warning", "success", "cancelled"]
    notify(daemon, {"on": events, "command": into(daemon.root / "told")})
    daemon.start()

    with Client(daemon.socket) as client:
        line = f"test -e {daemon.root}/fixed"
        task_id = client.exec(line, cwd="/", environment={"PATH": os.defpath}).id
        client.wait(task_id)
        client.resume(task_id)
        client.wait(task_id)
        (daemon.root / "fixed").touch()
        client.resume(task_id)
        client.wait(task_id)
        client.cancel(fail(daemon))

    expected = ["paused", "paused", "warning", "paused", "cancelled"]
    assert [each["event"] for each in told(daemon.root / "told", 5)] == expected


def test_task_that_met_a_lock_says_who_has_it(daemon: Daemon) -> None:
    notify(daemon, {"on": ["paused"], "command": into(daemon.root / "told")})
    daemon.start()

    fail(daemon, name="First", locks=["site:blog"])
    fail(daemon, locks=["site:blog"])

    [error] = told(daemon.root / "told", 2)[1]["errors"]
    assert "site:blog is locked by task 1 (First), paused since" in error["message"]


def test_command_inherits_nothing_but_what_it_needs(daemon: Daemon) -> None:
    daemon.environment["UNRELATED"] = "1"
    line = f"ls -l /proc/self/fd >{daemon.root}/files; env >{daemon.root}/environment"
    notify(daemon, {"on": ["paused"], "command": f"{line}; pwd >{daemon.root}/done"})
    daemon.start()

    task_id = fail(daemon)
    [folder] = eventually(lambda: complete(daemon.root / "done", 1))

    assert folder == daemon.environment["HOME"]
    files = (daemon.root / "files").read_text().splitlines()[1:]
    names = [line.split(" -> ")[0].split()[-1] for line in files]
    assert names == ["0", "1", "2", "3"]  # the last is what `ls` reads
    assert "/proc/" in files[3]
    assert not [line for line in files if "socket" in line or str(daemon.state) in line]
    variables = dict(
        line.split("=", 1) for line in (daemon.root / "environment").read_text().splitlines()
    )
    assert variables["TASKD_TASK_ID"] == str(task_id)
    assert variables["TASKD_EVENT"] == "paused"
    assert variables["PATH"] == daemon.environment["PATH"]
    own = {"TASKD_TASK_ID", "TASKD_EVENT", "PATH", "HOME", "LANG", "TZ"}
    assert variables.keys() - own <= {"PWD", "OLDPWD", "SHLVL", "_"}  # the shell's


def test_secret_is_told_to_nobody(daemon: Daemon) -> None:
    notify(daemon, {"on": ["paused"], "command": into(daemon.root / "told")})
    daemon.write_action(
        "login.yaml",
        "label: login\n"
        "input: {password: secret}\n"
        "steps:\n"
        '  work: {shell: \'echo "$password"; echo "$password is wrong" >&2; exit 3\'}\n',
    )
    daemon.start()
    (daemon.root / "password").write_text("hunter2-and-more")

    daemon.wait(daemon.start_task("run", "login", f"password=@{daemon.root}/password"))

    [task] = told(daemon.root / "told", 1)
    assert "hunter2" not in json.dumps(task)
    assert "is wrong" in task["errors"][0]["message"]


# Webhooks


def test_webhook_gets_the_task(daemon: Daemon, site: Site) -> None:
    notify(daemon, {"on": ["paused"], "webhook": f"{site.url}/hook?token=x"})
    daemon.start()

    task_id = fail(daemon)

    [(path, kind, task)] = eventually(lambda: site.taken)
    assert (path, kind, task["event"]) == ("/hook?token=x", "application/json", "paused")
    assert unchanging(task) == unchanging(daemon.show(task_id))


@pytest.mark.parametrize("status", [302, 500])
def test_any_other_answer_is_a_failure(daemon: Daemon, site: Site, status: int) -> None:
    site.status = status
    notify(daemon, {"on": ["paused"], "webhook": f"{site.url}/hook?token=x"})
    daemon.start()

    fail(daemon)

    [line] = eventually(lambda: warnings(daemon))
    where = f"{daemon.state}/taskd.yaml:2"
    assert line.startswith(
        f"{where}: nobody was told that task 1 is paused: exit status 1: the answer"
    )
    assert f"was {status} " in line
    assert [path for path, _, _ in site.taken] == ["/hook?token=x"]  # and not /elsewhere
    assert "token" not in daemon.log()


def test_silent_webhook_holds_nobody_up(daemon: Daemon, site: Site) -> None:
    site.silent.clear()
    notify(
        daemon,
        {"on": ["paused"], "webhook": site.url},
        {"on": ["paused"], "command": into(daemon.root / "told")},
    )
    daemon.start()

    fail(daemon)
    eventually(lambda: site.taken)
    fail(daemon)

    assert len(told(daemon.root / "told", 2)) == 2
    assert stops_at_once(daemon)


# Mail


@pytest.fixture
def with_mail(daemon: Daemon) -> Daemon:
    """A daemon that finds a `sendmail`, which keeps what it is given."""
    (daemon.root / "bin").mkdir()
    sendmail = daemon.root / "bin/sendmail"
    sendmail.write_text(SENDMAIL.format(root=daemon.root))
    sendmail.chmod(0o755)
    daemon.environment["PATH"] = f"{daemon.root}/bin:{os.environ['PATH']}"
    notify(daemon, {"on": ["paused", "error"], "mail": "root, ops@example.org"})
    daemon.start()
    return daemon


def mail_of(daemon: Daemon, task_id: int) -> EmailMessage:
    file = daemon.root / f"mail.{task_id}"
    eventually(file.exists)
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def test_mail_says_what_happened_and_what_to_type(with_mail: Daemon) -> None:
    paused = fail(with_mail, name="Back up blog")
    failed = fail(with_mail, name="Back up blög", rescue="fail")

    first, second = mail_of(with_mail, paused), mail_of(with_mail, failed)

    since = with_mail.show(paused)["state_updated_at"][:19].replace("T", " ")
    host = os.uname().nodename
    assert (with_mail.root / "arguments").read_text() == "-t -i\n" * 2
    assert first["To"] == "root, ops@example.org"
    assert first["From"].startswith("taskd <")
    assert first["Subject"] == f"taskd on {host}: task {paused} (Back up blog) is paused"
    assert first.get_content() == (
        f"Task:    {paused} Back up blog\n"
        "Action:  shell\n"
        f"State:   paused since {since} UTC\n"
        "Result:  error, if it were stopped now\n"
        "Error:   step run: exit status 3: no room\n"
        "\n"
        f"taskctl show {paused}\n"
        f"taskctl resume {paused}\n"
    )
    assert second["Subject"] == f"taskd on {host}: task {failed} (Back up blög) ended with error"
    assert "resume" not in second.get_content()


def test_name_becomes_no_header_and_no_line(with_mail: Daemon) -> None:
    task_id = fail(with_mail, name=FORGED)

    mail = mail_of(with_mail, task_id)

    assert with_mail.show(task_id)["name"] == FORGED
    assert sorted(mail.keys()) == [
        "Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "From", "MIME-Version",
        "Subject", "To",
    ]  # fmt: skip
    assert f"task {task_id} (Back up Bcc: eve@example.org . ]0;owned" in mail["Subject"]
    assert mail["Subject"].endswith("x…) is paused")
    assert mail.get_content().replace("\n", "").isprintable()


def test_host_without_sendmail_says_so(daemon: Daemon) -> None:
    notify(daemon, {"on": ["paused"], "mail": "ops@example.org"})
    (daemon.root / "bin").mkdir()
    daemon.environment["PATH"] = str(daemon.root / "bin")
    daemon.start()

    fail(daemon)

    [line] = eventually(lambda: warnings(daemon))
    assert line.endswith("task 1 is paused: cannot run sendmail: No such file or directory")


# What goes wrong


def hang(daemon: Daemon) -> str:
    """A command that does not end by itself, and is found should a test fail."""
    return f"WHERE={daemon.state} sleep 1000"


def stops_at_once(daemon: Daemon) -> bool:
    begun = time.monotonic()
    assert daemon.taskd("stop").returncode == 0
    return time.monotonic() - begun < SOON


def test_command_that_hangs_holds_nobody_up_and_ends_with_the_daemon(daemon: Daemon) -> None:
    pid = daemon.root / "pid"
    notify(
        daemon,
        {"on": ["paused"], "command": f"{hang(daemon)} & echo $! >{pid}; wait"},
        {"on": ["paused"], "command": into(daemon.root / "told")},
    )
    daemon.start()

    for _ in range(3):
        fail(daemon)
    assert len(told(daemon.root / "told", 3)) == 3
    first_pid = int(eventually(lambda: complete(pid, 1))[0])

    assert not gone(first_pid)
    assert stops_at_once(daemon)
    assert eventually(lambda: gone(first_pid))
    where = f"{daemon.state}/taskd.yaml:2"
    assert [line.removeprefix(f"{where}: ") for line in warnings(daemon)] == [
        "nobody was told that task 1 is paused: the daemon or its rule went away meanwhile",
        "2 notices were dropped",
    ]


def test_failing_command_is_one_line_in_the_log(daemon: Daemon) -> None:
    line = "printf 'no \\033[31mmail\\nat all\\n' >&2; exit 3"
    notify(daemon, {"on": ["paused"], "command": line})
    daemon.start()

    fail(daemon)

    [line] = eventually(lambda: warnings(daemon))
    where = f"{daemon.state}/taskd.yaml:2"
    assert line == f"{where}: nobody was told that task 1 is paused: exit status 3: no [31mmail"


def test_flood_of_failures_holds_the_daemon_up_for_nobody(daemon: Daemon) -> None:
    daemon.write_action("fail.py", FAILING)
    notify(
        daemon,
        {"on": ["error"], "command": f"echo $TASKD_TASK_ID >>{daemon.root}/told"},
        {"on": ["error"], "command": hang(daemon)},
    )
    daemon.start()

    with Client(daemon.socket) as client:
        ids = client.start_many([{"action": "fail"}] * 500)
        slowest = 0.0
        while client.count("result = error") < 500:
            begun = time.monotonic()
            client.status()
            slowest = max(slowest, time.monotonic() - begun)
        assert slowest < SOON
    lines = eventually(lambda: complete(daemon.root / "told", 500))

    assert sorted(map(int, lines)) == ids
    assert stops_at_once(daemon)


# The configuration


def test_reload_takes_changed_rules_and_refuses_wrong_ones(daemon: Daemon) -> None:
    daemon.start()
    fail(daemon)

    notify(daemon, {"on": ["paused"], "command": into(daemon.root / "first")})
    assert daemon.taskd("reload").returncode == 0
    second = fail(daemon)
    told(daemon.root / "first", 1)

    notify(daemon, {"on": ["paused"], "comand": "true"})
    refused = daemon.taskd("reload")
    third = fail(daemon)
    told(daemon.root / "first", 2)

    notify(daemon, {"on": ["paused"], "command": into(daemon.root / "second")})
    assert daemon.taskd("reload").returncode == 0
    fourth = fail(daemon)

    assert [task["id"] for task in told(daemon.root / "second", 1)] == [fourth]
    assert [task["id"] for task in told(daemon.root / "first", 2)] == [second, third]
    assert refused.returncode == 78
    assert "taskd.yaml:2: unknown key 'comand'; did you mean 'command'?" in refused.stderr


def test_check_and_start_tell_what_is_wrong(daemon: Daemon) -> None:
    (daemon.state / "taskd.yaml").write_text(
        "settings: {executor_slots: none}\nnotify:\n  - {on: [], command: x}\n  - {on: [error]}\n"
    )
    checked = daemon.taskd("check")

    notify(daemon, {"on": ["error"], "webhook": "example.org"})
    started = daemon.taskd("start")

    where = f"{daemon.state}/taskd.yaml"
    assert checked.returncode == 1
    assert [line.split(": ")[0] for line in checked.stdout.splitlines()] == [
        f"{where}:1", f"{where}:3", f"{where}:4",
    ]  # fmt: skip
    assert started.returncode == 78
    assert f"{where}:2: webhook: expected a URL" in started.stderr
