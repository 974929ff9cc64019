"""One file a format: its name is the value of `--format`. Each has `SUFFIX` and `write`."""
