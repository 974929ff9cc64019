"""taskctl: the command line of taskd. It talks to the daemon and holds no rules of its own."""

from taskd.version import VERSION

__all__ = ["VERSION"]
