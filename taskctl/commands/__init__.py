"""One file a command; the file's name is the command's, its `command` what runs. Loaded on demand.

A command only asks the daemon and prints. What it prints for people comes from `taskctl.view`,
which it imports when it prints, so that other forms start quickly.
"""
