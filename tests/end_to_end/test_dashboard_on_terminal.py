"""The dashboard of a real daemon, on a terminal."""

from real_daemon import Daemon
from terminal import await_text, on_terminal, opened


def test_watched_on_a_terminal_it_changes_in_place(running: Daemon) -> None:
    with opened(running, "dashboard", "--watch") as (_, terminal):
        await_text(terminal, "scheduled")
        task_id = running.start_task("exec", "--", "false")

        await_text(terminal, f"taskctl resume {task_id}")


def test_wide_terminal_has_it_side_by_side(running: Daemon) -> None:
    running.taskctl("exec", "--wait", "--", "false")

    first_lines = [
        on_terminal(running, "dashboard", columns=columns)[1].splitlines()[0].split()
        for columns in (80, 200)
    ]

    assert first_lines == [["Tasks"], ["Tasks", "In", "need", "of", "a", "hand"]]
