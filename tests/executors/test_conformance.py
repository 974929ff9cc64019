"""Every executor passes the conformance suite, but for what it cannot do."""

from conformance import CANNOT, Conformance


class TestProcess(Conformance, on="process"): ...


class TestThread(Conformance, on="thread"): ...


class TestInline(Conformance, on="inline"): ...


class TestCommand(Conformance, on="command"): ...


def test_what_executors_cannot_do_is_named_after_tests() -> None:
    named = {name for missing in CANNOT.values() for name in missing}

    assert named <= vars(Conformance).keys()
