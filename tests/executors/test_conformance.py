"""Every executor passes the conformance suite, but for what it cannot do."""

from conformance import Conformance


class TestProcess(Conformance, on="process"): ...


class TestThread(Conformance, on="thread"): ...


class TestInline(Conformance, on="inline"): ...


class TestCommand(Conformance, on="command"): ...
