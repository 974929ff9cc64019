"""`import`: what it says when it is broken off."""

import pytest
from scripted_daemon import Refusal

LOST = Refusal("storage-full", "the disk is full")
TAKEN = Refusal("invalid-state", "task 1 is there already: nothing was imported")


@pytest.mark.parametrize(
    ("pages", "refusal", "told"),
    [
        (
            [2000, 4000],
            LOST,
            "broken off after 4000 of 5000 tasks, or some more; to go on: the same",
        ),
        ([], LOST, "broken off after the first tasks, or some more; to go on: the same with"),
        ([], TAKEN, "taskctl: task 1 is there already"),
    ],
)
def test_how_many_came_in_is_told_when_it_is_broken_off(
    run, daemon, tmp_path, pages, refusal, told
):
    file = tmp_path / "records"
    file.write_text("{}\n")
    left = iter(pages)

    def let_in(_):
        for imported in left:
            return {"total": 5000, "imported": imported, "skipped": 0, "ended": False}
        raise refusal

    daemon.answers |= {"history.begin_import": 1, "history.send": None, "history.let_in": let_in}

    ran = run("import", str(file))

    assert ran.code != 0
    assert ran.err.startswith(told)
    assert refusal.body["message"] in ran.err
