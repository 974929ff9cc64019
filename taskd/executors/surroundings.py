"""What a process gives all that runs in it: working directory, umask, environment.

A host runs steps of many tasks; each finds these as the first one found them.
"""

import os


class Surroundings:
    def __init__(self) -> None:
        self._folder = os.getcwd()
        self._mask = os.umask(0o077)
        os.umask(self._mask)
        self._environment = dict(os.environb)

    def restore(self) -> None:
        os.chdir(self._folder)
        os.umask(self._mask)
        if os.environb != self._environment:
            for name in os.environb.keys() - self._environment:
                del os.environb[name]
            os.environb.update(self._environment)
