"""The words, phrases and signs of a query, read one by one as the parser asks for them.

What a sign means depends on where it stands: a `-` before a condition is "not", one that begins a
value is part of it.
"""

from dataclasses import dataclass
from enum import StrEnum

from taskd.model.errors import QueryError


class Kind(StrEnum):
    WORD = "a word"
    PHRASE = "a phrase"
    OPERATOR = "an operator"
    LIST = "^"
    AND = "and"
    OR = "or"
    NOT = "not"
    OPEN = "("
    CLOSE = ")"
    END = "the end"


@dataclass(frozen=True)
class Token:
    """`text` is what is meant: an operator's usual spelling, a phrase without its quotes."""

    kind: Kind
    text: str
    position: int
    end: int


_SIGNS = {
    "(": (Kind.OPEN, "("),
    ")": (Kind.CLOSE, ")"),
    ",": (Kind.AND, ","),
    "&": (Kind.AND, "and"),
    "&&": (Kind.AND, "and"),
    "|": (Kind.OR, "or"),
    "||": (Kind.OR, "or"),
    "!": (Kind.NOT, "not"),
    "-": (Kind.NOT, "not"),
    "=": (Kind.OPERATOR, "="),
    "==": (Kind.OPERATOR, "="),
    "!=": (Kind.OPERATOR, "!="),
    "<>": (Kind.OPERATOR, "!="),
    ">": (Kind.OPERATOR, ">"),
    ">=": (Kind.OPERATOR, ">="),
    "<": (Kind.OPERATOR, "<"),
    "<=": (Kind.OPERATOR, "<="),
    "~": (Kind.OPERATOR, "~"),
    "!~": (Kind.OPERATOR, "!~"),
    "!^": (Kind.LIST, "!^"),
}
_KEYWORDS = {"and": Kind.AND, "or": Kind.OR, "not": Kind.NOT}
_ENDS_A_WORD = frozenset("=~<>&|(),")


class Scanner:
    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, position: int, *, value: bool = False) -> Token:
        """The token at `position` or after it. `value`: the value of a condition stands there.

        Raises QueryError.
        """
        text = self._text
        begin = position
        while begin < len(text) and text[begin].isspace():
            begin += 1
        if begin == len(text):
            return Token(Kind.END, "", begin, begin)
        if text[begin] == '"':
            return self._phrase(begin)
        for length in (2, 1):
            sign = text[begin : begin + length]
            if sign in _SIGNS and not (value and sign == "-"):
                return Token(*_SIGNS[sign], begin, begin + len(sign))
        if text[begin] == "^" and not text[begin + 1 : begin + 2].strip(" \t\n("):
            return Token(Kind.LIST, "^", begin, begin + 1)
        return self._word(begin)

    def text_of(self, token: Token) -> str:
        """As it was written."""
        return self._text[token.position : token.end]

    def _word(self, begin: int) -> Token:
        end = begin + 1
        while end < len(self._text) and not self._ends_at(end):
            end += 1
        word = self._text[begin:end]
        return Token(_KEYWORDS.get(word.lower(), Kind.WORD), word, begin, end)

    def _ends_at(self, position: int) -> bool:
        here, following = self._text[position], self._text[position + 1 : position + 2]
        return (
            here.isspace()
            or here in _ENDS_A_WORD
            or (here == "!" and following in ("=", "~", "^"))
            or (here == "^" and following == "(")
        )

    def _phrase(self, begin: int) -> Token:
        r"""`\"` and `\\` are `"` and `\`; other backslashes stand for themselves."""
        text, part = self._text, begin + 1
        parts: list[str] = []
        position = part
        while position < len(text):
            if text[position] == '"':
                return Token(Kind.PHRASE, "".join(parts) + text[part:position], begin, position + 1)
            if text[position] == "\\" and text[position + 1 : position + 2] in ('"', "\\"):
                parts.append(text[part:position])
                part, position = position + 1, position + 1
            position += 1
        raise QueryError("this quotation mark is never closed", position=begin)
