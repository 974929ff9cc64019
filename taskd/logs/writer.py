"""Writes the log of a step: masked, in log lines, cut at a limit. It never raises."""

import os

from taskd.logs.format import Lines, text_bytes
from taskd.logs.mask import Mask

_NO_FILE = -1


class LogWriter:
    """Appends to the file at `path`, up to `limit` bytes of it.

    Trouble with the file must not trouble the step: what could not be written is counted in `lost`
    and the first reason kept in `error`; what was beyond the limit is counted in `cut`.
    """

    def __init__(self, path: bytes | str, limit: int, secrets: tuple[str, ...] = ()) -> None:
        self.cut = 0
        self.lost = 0
        self.error = ""
        self._limit = limit
        self._full = False
        self._masks = {"stdout": Mask(secrets), "stderr": Mask(secrets)}
        self._lines = {stream: Lines(stream) for stream in ("stdout", "stderr", "taskd")}
        self._size = 0
        self._file = self._open(path)
        self._end_torn_line()

    def write(self, stream: str, data: bytes) -> bytes:
        """Log `data`; the part of it, masked, that is no beginning of a secret."""
        text = self._masks[stream].feed(data)
        self._log(stream, text)
        return text

    def end(self, stream: str) -> bytes:
        """Log what is left of a stream that ended; what `write` kept back of it."""
        text = self._masks[stream].end()
        self._log(stream, text)
        if rest := self._lines[stream].end():
            self._append(rest)
            self.cut -= self._full  # the line end was ours
        return text

    def close(self) -> None:
        """End both streams, and say in the log what is missing from it."""
        for stream in self._masks:
            self.end(stream)
        if self.lost:
            self._remark(f"… {self.lost} bytes of output lost: {self.error}")
        if self.cut:
            self._remark(f"… output cut: {self.cut} bytes more (log_limit {_size(self._limit)})")
        if self._file != _NO_FILE:
            os.close(self._file)
            self._file = _NO_FILE

    def _open(self, path: bytes | str) -> int:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            self.error = reason(error)
            return _NO_FILE
        self._size = os.fstat(file).st_size
        return file

    def _end_torn_line(self) -> None:
        """Whoever wrote it was killed meanwhile."""
        try:
            if self._size and os.pread(self._file, 1, self._size - 1) != b"\n":
                self._size += os.write(self._file, b"\n")
        except OSError as error:
            self.error = reason(error)

    def _log(self, stream: str, text: bytes) -> None:
        if self._full:
            self.cut += len(text)
        elif text:
            self._append(self._lines[stream].feed(text))

    def _append(self, lines: bytes) -> None:
        room = 0 if self._full else self._limit - self._size
        if len(lines) > room:
            self._full = True
            whole = lines.rfind(b"\n", 0, max(room, 0)) + 1
            self.cut += text_bytes(lines[whole:])
            lines = lines[:whole]
        self._store(lines)

    def _remark(self, text: str) -> None:
        self._store(self._lines["taskd"].feed(text.encode() + b"\n"))

    def _store(self, lines: bytes) -> None:
        written = 0
        try:
            while written < len(lines):
                written += os.write(self._file, lines[written:])
        except OSError as error:
            self.error = self.error or reason(error)
            written = lines.rfind(b"\n", 0, written) + 1
            self.lost += text_bytes(lines[written:])
            self._remove_torn_line(self._size + written)
        self._size += written

    def _remove_torn_line(self, size: int) -> None:
        try:
            os.ftruncate(self._file, size)
        except OSError as error:
            self.error = self.error or reason(error)


def reason(error: OSError) -> str:
    """Why, in a few words that can stand in a sentence, e.g. `no space left on device`."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def _size(limit: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if limit < 1024 or limit % 1024:
            return f"{limit} {unit}"
        limit //= 1024
    return f"{limit} GiB"
