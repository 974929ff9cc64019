"""Requests that are too large, too deep or too many: refused or held up, and nothing is lost."""

import pytest
from crowd import MIB, MOST_MEMORY, is_responsive
from raw_client import RawClient
from real_daemon import Daemon, peak_memory

GET = '{"id":1,"method":"tasks.get","params":{"task_id":%s}}\n'


ECHO = '{"action":"echo","input":{"value":%s}}'


@pytest.fixture
def daemon(daemon: Daemon) -> Daemon:
    action = 'label: echo\ninput:\n  value: list\nsteps:\n  say:\n    shell: echo "$value"\n'
    (daemon.actions / "echo.yaml").write_text(action)
    return daemon


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def large(unit: str, end: str = "", size: int = 15 * MIB) -> bytes:
    """A request with so many bytes of it."""
    return (GET % f"[{unit * (size // len(unit))}{end}]").encode()


@pytest.mark.parametrize(
    "line",
    [
        large("x", size=17 * MIB),
        large("[],", "1"),
        large('{"":1},', "1"),
        large("1,", "1"),
        large('"a",', "1"),
        large("[", size=100_000),
        large('{"a":', size=500_000),
    ],
    ids=["bytes", "lists", "mappings", "numbers", "texts", "nested lists", "nested mappings"],
)
def test_request_that_is_too_much_is_refused(running: Daemon, line: bytes) -> None:
    with RawClient(running.socket) as client:
        client.send(line)

        assert client.answer()["error"]["code"] in (-32600, -32700)
        assert client.answer() == {}
    assert peak_memory(running.pid) < MOST_MEMORY
    assert is_responsive(running)


@pytest.mark.parametrize("levels", [101, 960, 984])  # Python reads, and writes, up to 1000
def test_input_that_is_nested_too_deeply_is_refused(running: Daemon, levels: int) -> None:
    with RawClient(running.socket) as client:
        answer = client.ask_raw("tasks.start", ECHO % nested(levels))

    assert answer["error"]["data"]["code"] == "invalid-input"
    assert "nested" in answer["error"]["message"]


def test_step_is_given_an_input_that_is_nested(running: Daemon) -> None:
    with RawClient(running.socket) as client:
        task = client.ask_raw("tasks.start", ECHO % nested(90))["result"]

    assert running.wait(task["id"]) == 0
    assert nested(90) in str(running.show(task["id"])["output"])


@pytest.mark.parametrize("id", ["1e999", "1.5", "[]", "{}"])
def test_request_whose_id_is_none_is_refused(running: Daemon, id: str) -> None:
    with RawClient(running.socket) as client:
        client.send(b'{"id":%s,"method":"status"}\n' % id.encode())

        assert client.answer()["error"]["code"] == -32600


@pytest.mark.parametrize("text", [",", '\\"', "1e9", "ä"], ids=["commas", "quotes", "e", "ä"])
def test_large_text_is_taken_whatever_is_in_it(running: Daemon, text: str) -> None:
    with RawClient(running.socket) as client:
        client.send((GET % f'"{text * (14 * MIB // len(text.encode()))}"').encode())

        answer = client.answer()

    assert answer["error"]["data"]["code"] == "invalid-input"
    assert len(answer["error"]["message"]) < 1000
    assert peak_memory(running.pid) < MOST_MEMORY
