"""The flow of a task as a tree of lines."""

from taskctl.view.branches import branches


def drawn(flow) -> list[str]:
    return [rail + name for name, rail in branches(flow).items()]


def test_sequence_goes_straight_down():
    assert drawn(["sequence", "a", ["sequence", "b", "c"]]) == ["a", "b", "c"]


def test_concurrence_has_branches_that_may_have_some_of_their_own():
    flow = [
        "sequence", "dump",
        ["concurrence",
         ["sequence", "copy", "verify", ["concurrence", "index", ["sequence", "sort", "send"]]],
         "music",
         ["sequence", ["concurrence", "in", "out"], "mail"]],
        "tell",
    ]  # fmt: skip

    assert drawn(flow) == [
        "dump",
        "┌─ copy",
        "│  verify",
        "│  ┌─ index",
        "│  └─ sort",
        "│     send",
        "├─ music",
        "└─ ┌─ in",
        "   └─ out",
        "   mail",
        "tell",
    ]


def test_branch_that_is_alone_or_empty_is_none():
    assert drawn(["sequence", ["concurrence", ["sequence"], "a"], ["concurrence"]]) == ["a"]


def test_task_without_a_plan_has_no_branches():
    assert branches(None) == {}
