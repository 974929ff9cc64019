"""Requests that are too large, too deep or too many: refused or held up, and nothing is lost."""

import pytest
from crowd import MIB, MOST_MEMORY, is_responsive
from raw_client import RawClient
from real_daemon import Daemon, peak_memory

GET = '{"id":1,"method":"tasks.get","params":{"task_id":%s}}\n'


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


@pytest.mark.parametrize("text", [",", '\\"', "1e9", "ä"], ids=["commas", "quotes", "e", "ä"])
def test_large_text_is_taken_whatever_is_in_it(running: Daemon, text: str) -> None:
    with RawClient(running.socket) as client:
        client.send((GET % f'"{text * (14 * MIB // len(text.encode()))}"').encode())

        answer = client.answer()

    assert answer["error"]["data"]["code"] == "invalid-input"
    assert len(answer["error"]["message"]) < 1000
    assert peak_memory(running.pid) < MOST_MEMORY
