"""Hides secrets in a stream of bytes, also where one is torn apart by the chunks."""

from _json import encode_basestring, encode_basestring_ascii

MASK = "•••".encode()


class Mask:
    """A filter: bytes in, bytes out. It keeps back what may be the beginning of a secret."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = sorted({form for secret in secrets for form in _forms(secret)}, key=len)
        self._longest = len(self._secrets[-1]) if self._secrets else 0
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        if not self._secrets:
            return data
        data = self._held + data
        return self._release(data, self._first_doubt(data))

    def end(self) -> bytes:
        """What was kept back; nothing more comes."""
        return self._release(self._held, len(self._held))

    def _release(self, data: bytes, doubt: int) -> bytes:
        """`data` up to `doubt`, masked. The leftmost secret wins, then the longest."""
        out: list[bytes] = []
        done = 0
        while (match := self._next_secret(data, done)) and match[0] < doubt:
            out += data[done : match[0]], MASK
            done = match[1]
        doubt = max(done, doubt)
        self._held = data[doubt:]
        out.append(data[done:doubt])
        return b"".join(out)

    def _next_secret(self, data: bytes, start: int) -> tuple[int, int] | None:
        found = [(data.find(secret, start), len(secret)) for secret in self._secrets]
        first, length = min(((at, -length) for at, length in found if at >= 0), default=(-1, 0))
        return None if first < 0 else (first, first - length)

    def _first_doubt(self, data: bytes) -> int:
        """Where the first thing begins that is a secret if the right bytes follow."""
        for start in range(max(0, len(data) - self._longest + 1), len(data)):
            rest = data[start:]
            if any(secret.startswith(rest) and secret != rest for secret in self._secrets):
                return start
        return len(data)


def _forms(secret: str) -> set[bytes]:
    """A secret as it is, and as it stands in JSON."""
    texts = {secret, encode_basestring(secret)[1:-1], encode_basestring_ascii(secret)[1:-1]}
    return {text.encode("utf-8", "surrogatepass") for text in texts if text}
