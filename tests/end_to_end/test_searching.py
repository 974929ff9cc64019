"""Finding tasks and acting on what was found, with the real commands."""

import subprocess

import pytest
from real_daemon import COMMANDS, Daemon, eventually
from terminal import on_terminal


@pytest.fixture
def failed(running: Daemon) -> Daemon:
    """Three tasks that wait for a file, two of them of one site; and one that is done."""
    for site in ("blog", "shop", "blog"):
        line = f"test -e {running.root}/{site}"
        running.start_task(
            "exec", "--name", f"Back up {site}", "--link", f"site:{site}", "--", line
        )
    running.start_task("exec", "--", "true")
    eventually(lambda: running.json("list", "--search", "state = paused")["total"] == 3)
    return running


def ids(daemon: Daemon, *words: object) -> list[int]:
    return [task["id"] for task in daemon.json("list", *words)["items"]]


def test_what_was_searched_for_is_listed(failed: Daemon) -> None:
    assert ids(failed, "--search", "state = paused and resource = site:blog") == [3, 1]
    assert ids(failed, "--search", 'error ~ "exit status" shop') == [2]
    assert ids(failed, "--search", "not state = paused") == [4]
    assert ids(failed, "--search", "started_at > yesterday user = current_user", "--order", "id") \
        == [1, 2, 3, 4]  # fmt: skip


def test_resume_goes_on_with_all_that_need_a_hand_and_says_which_failed_again(
    failed: Daemon,
) -> None:
    (failed.root / "blog").touch()

    resumed = failed.taskctl("resume", "--yes", "-o", "name")

    assert resumed.stdout.split() == ["1", "2", "3"]
    eventually(lambda: ids(failed, "--search", "result = warning") == [3, 1])
    eventually(lambda: ids(failed, "--search", "state = paused") == [2])


def test_only_what_was_searched_for_is_cancelled(failed: Daemon) -> None:
    looked = failed.taskctl("cancel", "--search", "resource_id = blog", "--noop")
    before = ids(failed, "--search", "result = cancelled")
    cancelled = failed.taskctl("cancel", "--search", "resource_id = blog", "--yes")

    assert (looked.returncode, cancelled.returncode) == (0, 0)
    assert looked.stdout.count("would cancel") == 2
    assert before == []
    assert ids(failed, "--search", "result = cancelled") == [3, 1]


def test_person_is_asked(failed: Daemon) -> None:
    code, shown = on_terminal(failed, "cancel", "--search", "shop", typed="n\n")

    assert code == 1
    assert "cancel this task?" in shown
    assert ids(failed, "--search", "result = cancelled") == []


def test_task_that_changed_meanwhile_is_left_alone(failed: Daemon) -> None:
    (failed.root / "blog").touch()
    failed.taskctl("resume", "1")
    failed.wait(1)

    answer = failed.taskctl("cancel", "1")
    by_search = failed.json("cancel", "--search", "id ^ (1, 3) state = paused", "--yes")

    assert answer.returncode == 5
    assert by_search == {"done": [3], "skipped": [], "failed": []}


def test_own_searches_are_known_by_name(failed: Daemon) -> None:
    failed.configure(searches='{shops: "resource_type = site and resource_id = shop"}')
    failed.taskd("reload")

    assert ids(failed, "--search", "@shops") == [2]
    assert ids(failed, "--search", "@failed -@shops") == [3, 1]
    assert "did you mean 'shops'?" in failed.taskctl("list", "--search", "@shop").stderr


def test_check_names_a_search_that_cannot_be_read(daemon: Daemon) -> None:
    daemon.configure(searches="{shops: stat = paused, my shop: x}")
    wrong_name = daemon.taskd("check")
    daemon.configure(searches="{shops: stat = paused}")
    wrong_query = daemon.taskd("check")

    assert (wrong_name.returncode, wrong_query.returncode) == (1, 1)
    assert "searches: 'my shop': expected letters" in wrong_name.stdout + wrong_name.stderr
    told = f"{daemon.state / 'taskd.yaml'}:2: the saved search 'shops' cannot be read"
    assert told in wrong_query.stdout


def test_wrong_search_changes_nothing_and_shows_where(failed: Daemon) -> None:
    for command in ("list", "resume", "cancel", "skip", "unlock"):
        refused = failed.taskctl(command, "--search", "state = pausd")

        assert refused.returncode == 2
        assert refused.stderr.splitlines()[1:] == ["  state = pausd", "          ^"]
    assert ids(failed, "--search", "state = paused") == [3, 2, 1]


def test_watched_list_tells_each_change_in_a_pipe(failed: Daemon) -> None:
    words = ["list", "--watch", "--search", "blog", "--columns", "id,state,result"]
    with subprocess.Popen(
        [COMMANDS / "taskctl", *words], env=failed.environment, stdout=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout
        lines = [watching.stdout.readline().split() for _ in range(3)]
        failed.taskctl("cancel", "1")
        lines.append(watching.stdout.readline().split())
        watching.terminate()

    assert lines == [
        ["id", "state", "result"],
        ["1", "paused", "error"],
        ["3", "paused", "error"],
        ["1", "stopped", "cancelled"],
    ]
