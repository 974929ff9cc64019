"""`taskd service`: which files it writes and removes, and what it tells systemctl and people.

systemctl is a script here that writes down what it was told; the real one is in tests/systemd.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SYSTEMCTL = """\
#!/bin/sh
echo "$*" >> {said}
case "$*" in
  *is-active*) exit 3 ;;
  *StatusText*) echo "the store is broken" ;;
  *" restart "*) [ ! -e {broken} ] || {{ echo "Job failed." >&2; exit 1; }} ;;
esac
"""
COMPLETE = ["taskd.service", "taskd.socket"]


class Account:
    """A user's home, and the commands in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.units = home / ".config/systemd/user"
        self.said = home / "said"
        self.broken = home / "broken"
        self.runtime = home / "run"
        self.programs = home / "bin"
        self.programs.mkdir()

    def has_systemd(self) -> None:
        script = self.programs / "systemctl"
        script.write_text(SYSTEMCTL.format(said=self.said, broken=self.broken))
        script.chmod(0o755)
        (self.runtime / "systemd").mkdir(parents=True)
        (self.runtime / "systemd/private").touch()

    def service(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "taskd", "service", *words],
            env={
                "HOME": str(self.home),
                "PATH": str(self.programs),
                "XDG_RUNTIME_DIR": str(self.runtime),
                "LANG": "C.UTF-8",
            },
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def told(self) -> list[str]:
        """What systemctl was told, without its options."""
        lines = self.said.read_text().splitlines() if self.said.exists() else []
        return [line.removeprefix("--user --no-pager ") for line in lines]

    def files(self) -> list[str]:
        return sorted(os.listdir(self.units)) if self.units.exists() else []


@pytest.fixture
def account() -> Iterator[Account]:
    with tempfile.TemporaryDirectory(prefix="ta") as home:  # short: a socket is below it
        yield Account(Path(home))


@pytest.fixture
def with_systemd(account: Account) -> Account:
    account.has_systemd()
    return account


@pytest.mark.parametrize("command", ["show", "install", "uninstall"])
def test_service_for_all_users_is_refused_with_what_there_is(
    account: Account, command: str
) -> None:
    refused = account.service(command)

    assert refused.returncode == 2
    assert f"taskd service {command} --user" in refused.stderr


def test_shown_units_are_those_that_are_written(with_systemd: Account) -> None:
    shown = with_systemd.service("show", "--user").stdout
    with_systemd.service("install", "--user")

    written = [with_systemd.units / name for name in COMPLETE]
    assert shown == "".join(f"# {file}\n{file.read_text()}\n" for file in written)


def test_install_enables_and_starts_what_it_wrote(with_systemd: Account) -> None:
    installed = with_systemd.service("install", "--user")

    assert installed.returncode == 0
    assert with_systemd.files() == COMPLETE
    both = "taskd.service taskd.socket"
    heard = with_systemd.told()
    assert [line for line in heard if line.startswith(("daemon", "enable", "restart"))] == [
        "daemon-reload",
        f"enable {both}",
        f"restart {both}",
    ]
    assert installed.stdout.splitlines()[0] == f"wrote {with_systemd.units / 'taskd.service'}"


def test_install_says_that_logging_out_ends_it(with_systemd: Account) -> None:
    installed = with_systemd.service("install", "--user")

    assert "loginctl enable-linger" in installed.stderr


def test_options_of_the_install_hold_for_the_service(with_systemd: Account) -> None:
    (with_systemd.home / "own.yaml").touch()

    with_systemd.service("install", "--user", "--config", "own.yaml", "--socket", "own.sock")

    service, socket = ((with_systemd.units / name).read_text() for name in COMPLETE)
    home = with_systemd.home
    assert f"taskd run --socket {home}/own.sock --config {home}/own.yaml\n" in service
    assert f"ListenStream={home}/own.sock\n" in socket


def test_install_that_cannot_start_the_service_says_why(with_systemd: Account) -> None:
    with_systemd.broken.touch()

    installed = with_systemd.service("install", "--user")

    assert installed.returncode == 1
    assert "the service did not start: the store is broken" in installed.stderr
    assert "journalctl --user --unit taskd.service" in installed.stderr


def test_wrong_configuration_is_refused_before_anything_is_written(with_systemd: Account) -> None:
    (with_systemd.home / "own.yaml").write_text("settings: {executor_slots: many}\n")

    refused = with_systemd.service("install", "--user", "--config", "own.yaml")

    assert refused.returncode == 78
    assert "own.yaml:1: executor_slots" in refused.stderr
    assert (with_systemd.files(), with_systemd.told()) == ([], [])


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_unit_of_somebody_else_is_left_alone(with_systemd: Account, command: str) -> None:
    foreign = with_systemd.units / "taskd.socket"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("[Socket]\n")

    refused = with_systemd.service(command, "--user")

    assert refused.returncode == 5
    assert str(foreign) in refused.stderr
    assert "--force" in refused.stderr
    assert (with_systemd.files(), foreign.read_text()) == (["taskd.socket"], "[Socket]\n")
    assert with_systemd.told() == []


def test_masked_unit_is_left_alone(with_systemd: Account) -> None:
    with_systemd.units.mkdir(parents=True)
    (with_systemd.units / "taskd.service").symlink_to("/dev/null")

    refused = with_systemd.service("install", "--user")

    assert refused.returncode == 5
    assert (with_systemd.units / "taskd.service").is_symlink()


def test_unit_of_somebody_else_is_replaced_if_so_told(with_systemd: Account) -> None:
    foreign = with_systemd.units / "taskd.socket"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("[Socket]\n")

    forced = with_systemd.service("install", "--user", "--force")

    assert forced.returncode == 0
    assert "ListenStream=" in foreign.read_text()


def test_units_are_written_where_there_is_no_systemd(account: Account) -> None:
    installed = account.service("install", "--user")

    assert installed.returncode == 1
    assert account.files() == COMPLETE
    assert "there is no systemctl here" in installed.stderr
    assert "taskd start" in installed.stderr


def test_units_are_written_where_the_user_has_no_manager(with_systemd: Account) -> None:
    (with_systemd.runtime / "systemd/private").unlink()

    installed = with_systemd.service("install", "--user")

    assert installed.returncode == 1
    assert with_systemd.files() == COMPLETE
    assert "loginctl enable-linger" in installed.stderr
    assert with_systemd.told() == []


def test_uninstall_stops_and_removes(with_systemd: Account) -> None:
    with_systemd.service("install", "--user")
    wants = with_systemd.units / "default.target.wants"
    wants.mkdir()
    (wants / "taskd.service").symlink_to("../taskd.service")
    (wants / "other.service").symlink_to("../other.service")

    removed = with_systemd.service("uninstall", "--user")

    assert removed.returncode == 0
    assert with_systemd.files() == ["default.target.wants"]
    assert os.listdir(wants) == ["other.service"]
    assert with_systemd.told()[-2:] == [
        "disable --now taskd.service taskd.socket",
        "daemon-reload",
    ]


def test_uninstall_works_without_systemd_and_twice(account: Account) -> None:
    account.service("install", "--user")

    removed = [account.service("uninstall", "--user") for _ in range(2)]

    assert [one.returncode for one in removed] == [0, 0]
    assert f"removed {account.units / 'taskd.socket'}" in removed[0].stdout
    assert f"no units of taskd are in {account.units}" in removed[1].stdout
    assert account.files() == []
