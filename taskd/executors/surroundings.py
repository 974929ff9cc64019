"""What a process gives all that runs in it: working directory, umask, environment.

A host runs steps of many tasks; each finds these as the first one found them.
"""

import os
import sys


class Surroundings:
    def __init__(self) -> None:
        self._folder = os.getcwd()
        self._mask = os.umask(0o077)
        os.umask(self._mask)
        self._environment = dict(os.environb)
        self._changed = False  # the environment; to compare it each time would cost too much
        sys.addaudithook(self._watch)

    def restore(self) -> None:
        os.chdir(self._folder)
        os.umask(self._mask)
        if self._changed:
            for name in os.environb.keys() - self._environment:
                del os.environb[name]
            os.environb.update(self._environment)
            self._changed = False

    def _watch(self, event: str, _arguments: object) -> None:
        if event in ("os.putenv", "os.unsetenv"):
            self._changed = True
