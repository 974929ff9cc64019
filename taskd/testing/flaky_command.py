"""A program that fails a few times and then succeeds, in the place of one that steps run."""

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Self

_SCRIPT = """\
#!/bin/sh
printf '%s\\0' "$#" "$@" >> {folder}/calls
read -r left < {folder}/left
if [ "$left" -gt 0 ]; then
    echo $((left - 1)) > {folder}/left
    printf '%s\\n' {error} >&2
    exit {status}
fi
printf '%s' {output}
"""


class FlakyCommand:
    """Within `with`, the program `name` fails `times` times, then prints `output` and succeeds.

    with FlakyCommand("rclone", times=2) as rclone:
        ...
    assert rclone.calls == [["copy", "blog.sql", "remote:blog"]] * 3

    It is found by PATH, before any other of that name; with `times=0` it never fails.
    """

    def __init__(
        self,
        name: str,
        *,
        times: int = 1,
        status: int = 1,
        error: str = "failed on purpose",
        output: str = "",
    ) -> None:
        if "/" in name:
            raise ValueError(f"{name!r} is a path: only what is found by PATH can be replaced")
        self.name = name
        self._times = times
        self._answers = {"status": status, "error": error, "output": output}
        self._folder: Path | None = None
        self._calls: list[list[str]] = []

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call, so far."""
        if self._folder:
            self._calls = list(_parse((self._folder / "calls").read_bytes()))
        return self._calls

    def __enter__(self) -> Self:
        folder = self._folder = Path(tempfile.mkdtemp(prefix="taskd-command-"))
        words = {name: shlex.quote(str(value)) for name, value in self._answers.items()}
        (folder / "calls").touch()
        (folder / "left").write_text(f"{self._times}\n")
        (folder / "bin").mkdir()
        program = folder / "bin" / self.name
        program.write_text(_SCRIPT.format(folder=shlex.quote(str(folder)), **words))
        program.chmod(0o700)
        os.environ["PATH"] = f"{folder / 'bin'}:{os.environ.get('PATH', os.defpath)}"
        if shutil.which(self.name) != str(program):
            self.__exit__()
            raise OSError(f"programs in {folder} cannot be run: set TMPDIR to another folder")
        return self

    def __exit__(self, *_: object) -> None:
        self._calls = self.calls
        assert self._folder
        path = os.environ["PATH"].split(":")
        path.remove(str(self._folder / "bin"))
        os.environ["PATH"] = ":".join(path)
        shutil.rmtree(self._folder)
        self._folder = None


def _parse(record: bytes) -> Iterator[list[str]]:
    """Of each call the number of its arguments, and these."""
    words = iter(os.fsdecode(record).split("\0")[:-1])
    for count in words:
        yield list(islice(words, int(count)))
