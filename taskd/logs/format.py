"""The lines of a log file, in the format of the container runtimes (CRI).

TIME STREAM F|P TEXT        F: the line ends here; P: the next line of this stream goes on with it
"""

import time

PART = 16 * 1024  # bytes of text in one line of the file


class Lines:
    """Makes log lines of what one stream prints. An unfinished line waits here for its end."""

    def __init__(self, stream: str) -> None:
        self._stream = stream.encode()
        self._open = b""

    def feed(self, text: bytes) -> bytes:
        whole, newline, self._open = (self._open + text).rpartition(b"\n")
        lines = self._format(whole) if newline else b""
        while len(self._open) > PART:
            end = _end_of_part(self._open)
            lines += self._head(b"P") + self._open[:end] + b"\n"
            self._open = self._open[end:]
        return lines

    def end(self) -> bytes:
        rest, self._open = self._open, b""
        return self._format(rest) if rest else b""

    def _format(self, whole: bytes) -> bytes:
        head = self._head(b"F")
        if _has_long_line(whole):
            whole = _break_up(whole, between=b"\n" + self._head(b"P"), last=b"\n" + head)
            return whole[1:] + b"\n"
        return head + whole.replace(b"\n", b"\n" + head) + b"\n"

    def _head(self, tag: bytes) -> bytes:
        return b"%s %s %s " % (now(), self._stream, tag)


def now() -> bytes:
    """The time as it stands in a log, e.g. `2026-11-25T03:50:00.123456Z`."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return b"%s.%06dZ" % (text.encode(), nanoseconds // 1000)


def text_bytes(lines: bytes) -> int:
    """How many bytes of text, line ends included, are in `lines` of one stream."""
    head = lines.find(b" ", lines.find(b" ") + 1) + len(" F ")
    return len(lines) - head * lines.count(b"\n") if lines else 0


def _has_long_line(whole: bytes) -> bool:
    start = 0
    while len(whole) - start > PART:
        start = whole.rfind(b"\n", start, start + PART + 1) + 1
        if not start:
            return True
    return False


def _break_up(whole: bytes, *, between: bytes, last: bytes) -> bytes:
    out: list[bytes] = []
    for line in whole.split(b"\n"):
        while len(line) > PART:
            end = _end_of_part(line)
            out += between, line[:end]
            line = line[end:]
        out += last, line
    return b"".join(out)


def _end_of_part(line: bytes) -> int:
    """Where to break a long line: not inside a character."""
    end = PART
    while end > PART - 3 and line[end] & 0xC0 == 0x80:
        end -= 1
    return end
