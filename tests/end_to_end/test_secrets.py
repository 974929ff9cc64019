"""A secret reaches the step, and no file but its own; none is left once the task has stopped."""

from hashlib import sha256
from pathlib import Path

import pytest
from real_daemon import Daemon, eventually

SECRET = "hunter2-and-more"
PYTHON = """\
import hashlib
import sys
import time
from pathlib import Path

from taskd import Action, Secret, step


class LogIn(Action, label="login"):
    ledger: str
    password: Secret[str]

    @step
    def work(self) -> str:
        print("the password is", self.password, flush=True)
        print(self.password, file=sys.stderr, flush=True)
        Path(self.ledger).write_text(hashlib.sha256(self.password.encode()).hexdigest())
        gate = Path(self.ledger + ".gate")
        while not gate.exists():
            time.sleep(0.02)
        if gate.read_text() == "fail":
            raise ValueError(f"{self.password} is wrong")
        return "it is " + self.password
"""
YAML = """\
label: login
input: {ledger: str, password: secret}
steps:
  work:
    shell: |
      echo "the password is $password"
      echo "$password" >&2
      printf %s "$password" | sha256sum | cut -d' ' -f1 > "$ledger.new"
      mv "$ledger.new" "$ledger"
      until test -e "$ledger.gate"; do sleep 0.05; done
      if test "$(cat "$ledger.gate")" = fail; then echo "$password is wrong" >&2; exit 3; fi
      echo "it is $password"
"""


@pytest.fixture(params=["python", "yaml"])
def login(request: pytest.FixtureRequest, running: Daemon) -> Daemon:
    """A daemon with an action that tells its password wherever it can."""
    name, text = ("login.py", PYTHON) if request.param == "python" else ("login.yaml", YAML)
    running.write_action(name, text)
    (running.root / "password").write_text(SECRET + "\n")
    return running


def test_secret_is_in_no_file_but_its_own_and_then_in_none(login: Daemon) -> None:
    task_id = login.start_action("login", f"password=@{login.root / 'password'}")
    eventually(lambda: len(login.ledger.read_text()) >= 64)
    while_running = files_with_the_secret(login.state)
    modes = [file.stat().st_mode & 0o777 for file in while_running]

    gate(login).write_text("well")

    assert login.wait(task_id) == 0
    assert login.ledger.read_text().strip() == digest()
    assert [file.parent.name for file in while_running] == ["secrets"]
    assert modes == [0o600]
    assert files_with_the_secret(login.state) == []
    shown = (
        login.taskctl("show", task_id).stdout + login.taskctl("-o", "json", "show", task_id).stdout
    )
    assert SECRET not in shown + login.taskctl("logs", task_id).stdout
    assert SECRET not in login.taskctl("-o", "json", "list", "--full").stdout


def test_paused_task_keeps_its_secret_for_the_resume(login: Daemon) -> None:
    task_id = login.start_action("login", f"password=@{login.root / 'password'}")
    gate(login).write_text("fail")
    assert login.wait(task_id) == 9
    assert SECRET not in login.taskctl("-o", "json", "show", task_id).stdout
    assert [file.parent.name for file in files_with_the_secret(login.state)] == ["secrets"]

    gate(login).write_text("well")
    login.taskctl("resume", task_id)

    assert login.wait(task_id) == 0
    assert login.ledger.read_text().strip() == digest()
    assert files_with_the_secret(login.state) == []


def test_unlocked_task_is_given_its_secret_once_more(login: Daemon) -> None:
    login.configure(allow_dangerous_actions="true")
    login.taskd("reload")
    password = f"password=@{login.root / 'password'}"
    task_id = login.start_action("login", password)
    gate(login).write_text("fail")
    assert login.wait(task_id) == 9

    unlocked = login.taskctl("unlock", "--yes", task_id)
    left = files_with_the_secret(login.state)
    login.ledger.write_text("")
    gate(login).write_text("well")
    refused = login.taskctl("resume", task_id)
    strange = login.taskctl("resume", task_id, "--secret", f"pass=@{login.root / 'password'}")
    resumed = login.taskctl("resume", task_id, "--secret", password)

    assert (unlocked.returncode, left) == (0, [])
    assert refused.returncode == 2
    assert f"hint: taskctl resume {task_id} --secret password=@FILE\n" in refused.stderr
    assert strange.returncode == 2
    assert f"task {task_id} has no secret pass\n" in strange.stderr
    assert resumed.returncode == 0
    assert login.wait(task_id) == 0
    assert login.ledger.read_text().strip() == digest()
    assert files_with_the_secret(login.state) == []


def test_cancelled_task_leaves_no_secret(login: Daemon) -> None:
    task_id = login.start_action("login", f"password=@{login.root / 'password'}")
    eventually(lambda: len(login.ledger.read_text()) >= 64)

    login.taskctl("cancel", "--force", task_id)

    assert login.wait(task_id) == 10
    eventually(lambda: files_with_the_secret(login.state) == [])


def test_secret_survives_a_killed_daemon_and_then_goes(login: Daemon) -> None:
    task_id = login.start_action("login", f"password=@{login.root / 'password'}")
    eventually(lambda: len(login.ledger.read_text()) >= 64)

    login.kill_9()
    login.start()
    gate(login).write_text("well")

    assert login.wait(task_id) == 0
    assert files_with_the_secret(login.state) == []


def test_secret_that_is_refused_is_not_told(login: Daemon) -> None:
    refused = login.taskctl("run", "login", "ledger=x", f'password:=["{SECRET}"]')

    assert refused.returncode == 2
    assert SECRET not in refused.stderr
    assert files_with_the_secret(login.state) == []


def gate(daemon: Daemon) -> Path:
    return Path(f"{daemon.ledger}.gate")


def digest() -> str:
    return sha256(SECRET.encode()).hexdigest()


def files_with_the_secret(folder: Path) -> list[Path]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if SECRET.encode() in read(file)]


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
