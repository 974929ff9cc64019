"""What the daemon and systemd tell each other: variables, one datagram socket, two unit files.

Without libsystemd, and below everything that knows tasks.
"""
