"""What the daemon tells the service manager, and what it was told by it."""

import contextlib
import os
import socket
from pathlib import Path

import pytest
from managed import Manager

from taskd.model.errors import StoreError
from taskd.service import notify
from taskd.service.notify import Systemd


def test_facts_are_lines_of_one_message(manager: Manager) -> None:
    Systemd(str(manager.address)).tell(READY=1, STATUS="no step runs")

    assert manager.message() == {"READY": "1", "STATUS": "no step runs"}


def test_abstract_address_begins_with_an_at_sign() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messages:
        messages.bind(f"\0taskd-test-{os.getpid()}")

        Systemd(f"@taskd-test-{os.getpid()}").tell(READY=1)

        assert messages.recv(100) == b"READY=1"


def test_line_break_in_a_text_is_no_further_fact(manager: Manager) -> None:
    Systemd(str(manager.address)).tell(STATUS="one\nMAINPID=1\r\ntwo")

    assert manager.message() == {"STATUS": "one MAINPID=1 two"}


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "/" + "x" * 200, "vsock:2:1"])
def test_nobody_hears_and_nothing_fails(address: str) -> None:
    Systemd(address).tell(READY=1)


def test_manager_that_reads_no_more_does_not_hold_up_the_daemon(manager: Manager) -> None:
    systemd = Systemd(str(manager.address))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                other.sendto(b"STATUS=full", str(manager.address))

    systemd.tell(WATCHDOG=1)


def test_reload_begins_and_ends_for_the_manager_also_where_it_fails(manager: Manager) -> None:
    with pytest.raises(StoreError), Systemd(str(manager.address)).reloading():
        raise StoreError("no")

    began, ended = manager.message(), manager.message()
    assert (began["RELOADING"], ended["READY"]) == ("1", "1")
    assert int(began["MONOTONIC_USEC"]) > 0


def test_variables_are_taken_away_from_what_the_daemon_starts() -> None:
    pid = str(os.getpid())
    environment = {"NOTIFY_SOCKET": "/n", "WATCHDOG_PID": pid, "WATCHDOG_USEC": "30000000", "A": ""}

    systemd = notify.find(environment)

    assert environment == {"A": ""}
    assert (systemd.listens, systemd.patience) == (True, 30.0)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"},
    ],
)
def test_no_watchdog_where_none_is_meant_for_this_process(variables: dict[str, str]) -> None:
    assert notify.find(variables).patience is None


def test_message_of_a_refusal_is_shown_as_the_status(manager: Manager) -> None:
    (manager.folder / "taskd.yaml").write_text("settings: {executor_slots: many}\n")

    process = manager.start()

    assert "executor_slots" in manager.hear("STATUS")["STATUS"]
    assert process.wait(30) == 78


def test_missing_configuration_is_shown_as_the_status(manager: Manager, tmp_path: Path) -> None:
    manager.start(TASKD_CONFIG=tmp_path / "none.yaml")

    told = f"cannot read {tmp_path / 'none.yaml'}: No such file or directory"
    assert manager.hear("STATUS")["STATUS"] == told
