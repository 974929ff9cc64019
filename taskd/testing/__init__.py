"""Test actions in memory: without daemon, database or file, in a millisecond a task.

A step is a plain method, and most of an action is tested by calling it:

    assert BackUpSite(site="blog").archive(dump="blog.sql") == "remote:blog"

`Inline` is for what becomes of a task. It drives the daemon's own engine, in the calling thread and
with a store in memory: a step fails, the task pauses and keeps its locks, it is resumed.
`FlakyCommand` stands in for a program that steps run, and fails as often as you like.

    from collections.abc import Iterator

    import pytest
    from backups import BackUpSite

    from taskd.testing import FlakyCommand, Inline


    @pytest.fixture
    def rclone() -> Iterator[FlakyCommand]:
        with FlakyCommand("rclone", times=1) as command:
            yield command


    def test_backup_goes_on_from_the_step_that_failed(rclone: FlakyCommand) -> None:
        engine = Inline()
        paused = engine.run(BackUpSite(site="blog"))
        assert (paused.state, paused.result) == ("paused", "error")

        done = engine.resume(paused)

        assert (done.state, done.result) == ("stopped", "warning")
        assert rclone.calls == [["copy", "blog.sql", "remote:blog"]] * 2

What these give are tasks as `taskd.client.Client` gives them, with `steps`, `errors`, `history`.
Each is as it was then: `engine.get(task)` is how it is now.
"""

from taskd.testing.flaky_command import FlakyCommand
from taskd.testing.inline import Inline

__all__ = ["FlakyCommand", "Inline"]
