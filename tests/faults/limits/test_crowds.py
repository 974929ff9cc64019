"""A thousand clients at once, good and bad ones: the daemon answers, stays small, forgets them."""

from collections.abc import Callable

import pytest
from crowd import MOST_MEMORY, a_crowd, descriptors, is_responsive, say
from raw_client import RawClient
from real_daemon import Daemon, eventually, peak_memory

MANY = [300, pytest.param(1000, marks=pytest.mark.long)]
GET = b'{"id":1,"method":"tasks.get","params":{"task_id":1}}\n'
FIND = b'{"id":1,"method":"tasks.find","params":{}}\n'
WATCH = b'{"id":1,"method":"tasks.watch","params":{"task_id":1,"seen":999,"timeout":3600}}\n'
LARGE = b'{"id":1,"method":"tasks.get","params":{"task_id":"' + b"x" * 1_000_000


@pytest.fixture(autouse=True)
def task(running: Daemon) -> None:
    """There is something to ask for: much, and it never changes."""
    large = """(printf large=; head -c 400000 /dev/zero | tr '\\0' x) > "$TASKD_OUTPUT\""""
    assert running.wait(running.start_task("exec", "--", large)) == 0


def test_a_thousand_clients_at_once_are_all_answered(running: Daemon) -> None:
    with a_crowd(running, 1000, lambda client: client.send(FIND)) as clients:
        answers = [client.answer() for client in clients]

    assert [answer["result"]["total"] for answer in answers] == [1] * 1000


def silent(client: RawClient) -> None:
    """It has said hello, and nothing since."""


def slow(client: RawClient) -> None:
    """The rest of its request never comes."""
    say(client, GET[:20])


def waiting(client: RawClient) -> None:
    """For what does not happen, five hundred times."""
    say(client, WATCH * 500)


def deaf(client: RawClient) -> None:
    """It asks for much and reads nothing."""
    say(client, GET * 20)


def half_sent(client: RawClient) -> None:
    """The rest of a large request never comes."""
    client.send(LARGE)


@pytest.mark.parametrize("many", MANY)
@pytest.mark.parametrize("behave", [silent, slow, waiting, deaf, half_sent])
def test_good_client_is_served_beside_many_bad_ones(
    running: Daemon, behave: Callable[[RawClient], object], many: int
) -> None:
    before = descriptors(running.pid)

    with a_crowd(running, many, behave):
        assert is_responsive(running)

    assert peak_memory(running.pid) < MOST_MEMORY
    eventually(lambda: descriptors(running.pid) <= before + 1)  # one may be at work
