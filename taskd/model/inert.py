"""Text that others wrote, made harmless: the one place where it passes on its way out.

A name, input, output or log line may hold escape sequences that retitle, recolour or take over a
terminal, or characters that reorder and hide what is read. They are shown as escapes: `\\x1b[2J`.
"""

import re

_DANGEROUS = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # reorder, hide
    "\u2028\u2029"  # lines that are none
    "\ud800-\udfff"  # halves of characters
    "\U000e0000-\U000e007f"  # invisible letters
    "]"
)
_FORMULA = re.compile(r"[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def inert(text: object, *, keep: str = "") -> str:
    """`text` without anything that a terminal acts on, but for the characters in `keep`."""
    return _DANGEROUS.sub(lambda found: _escape(found[0], keep), str(text))


def inert_cell(text: object) -> str:
    """`text` as a cell of CSV that no spreadsheet takes for a formula."""
    plain = str(text)
    if plain[:1].isalnum() and plain.isascii() and plain.isprintable():  # as most are
        return plain
    formula = _FORMULA.match(plain) and not _NUMBER.fullmatch(plain)
    return inert(f"'{plain}" if formula else plain)


def _escape(character: str, keep: str) -> str:
    if character in keep:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
