"""taskctl: the command line of taskd. It talks to the daemon and holds no rules of its own."""

VERSION = "0.1.0"
