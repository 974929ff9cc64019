"""Which actions exist, as plain data.

`load.py` reads the author's files, in a host; what the daemon does with the result (`inputs.py`,
never imports author code.
"""
