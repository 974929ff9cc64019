"""`import`: what it says when it is broken off."""

from scripted_daemon import Refusal


def test_how_many_came_in_is_told_when_it_is_broken_off(run, daemon, tmp_path):
    file = tmp_path / "records"
    file.write_text("{}\n")
    pages = iter([2000, 4000])

    def let_in(_):
        for imported in pages:
            return {"total": 5000, "imported": imported, "skipped": 0, "ended": False}
        raise Refusal("storage-full", "the disk is full")

    daemon.answers |= {"history.begin_import": 1, "history.send": None, "history.let_in": let_in}

    ran = run("import", str(file))

    assert ran.code != 0
    assert ran.err.splitlines()[0] == (
        "taskctl: broken off after 4000 of 5000 tasks; to go on: the same with --skip-existing"
    )
    assert "the disk is full" in ran.err
