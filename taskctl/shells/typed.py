"""A command line up to the cursor, and the quotes in it."""

import re
from typing import NamedTuple

_PIECE = r"""[^\s'"\\]+|\\.|'[^']*'?|"(?:\\.|[^"\\])*"?|\\"""
_WORD = re.compile(f"(?:{_PIECE})+", re.DOTALL)


class Suggestion(NamedTuple):
    """In the place of the word at the cursor. `goes_on`: more of it may follow, without a space."""

    word: str
    help: str = ""
    goes_on: bool = False


class Typed(NamedTuple):
    """`words` are those before the one at the cursor, of which `word` is typed, and how: `raw`."""

    words: list[str]
    word: str
    raw: str = ""


def split(line: str) -> tuple[list[str], str]:
    """The words before the cursor, and the one at it, which may be empty; as they were typed."""
    found = list(_WORD.finditer(line))
    words = [word[0] for word in found]
    if found and found[-1].end() == len(line):
        return words[:-1], words[-1]
    return words, ""


def unquoted(raw: str) -> str:
    """What a word means; the last quote in it may be open."""
    return "".join(map(_meaning, re.findall(_PIECE, raw, re.DOTALL)))


def open_quote(raw: str) -> str:
    """The quote that is still open at the end: `'`, `"` or none."""
    *_, last = ["", *re.findall(_PIECE, raw, re.DOTALL)]
    whole = len(last) > 1 and last[-1] == last[0]
    return last[0] if last[:1] in ("'", '"') and not whole else ""


def _meaning(piece: str) -> str:
    if piece[0] == "'":
        return piece[1:].removesuffix("'")
    if piece[0] == '"':
        return re.sub(r'\\([\\"$`])', r"\1", piece[1:].removesuffix('"'))
    return piece[1:] if piece[0] == "\\" else piece
