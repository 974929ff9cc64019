"""Steps in threads of the daemon, which end with it; so must what they have started."""

from taskd_actions.relay import Plain


class Thread(Plain, label="thread.python", isolation="thread"):
    """As plain ones."""
