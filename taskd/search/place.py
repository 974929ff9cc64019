"""Where in a query its end is: what may come next there, as the parser would read on.

(state = paused and sta
                    └─┘  the stem: an unfinished word, phrase or sign, or nothing
"""

from dataclasses import dataclass
from enum import Enum, auto

from taskd.model.errors import QueryError
from taskd.model.record import replace
from taskd.search import fields
from taskd.search.fields import OPERATORS, Field
from taskd.search.parser import OF_TIMES, PREFIXES
from taskd.search.scanner import Kind, Scanner, Token


class Next(Enum):
    """What is to come."""

    CONDITION = auto()
    FIELD = auto()  # after `has`
    SIGN = auto()  # or else the field's name was a word to look for
    LIST = auto()
    VALUE = auto()
    MORE = auto()  # of a list, or its end
    ANYTHING = auto()  # what was begun is complete, but for parentheses
    NOTHING = auto()  # that would mend it


@dataclass(frozen=True)
class Place:
    """Within `depth` parentheses; of the condition at hand, `field` and `sign`."""

    next: Next = Next.CONDITION
    depth: int = 0
    field: Field | None = None
    sign: str = ""


def read_end(text: str) -> tuple[Place, int]:
    """The place of the stem, and where that begins; behind a space it is empty."""
    scanner, place, position = Scanner(text), Place(), 0
    while True:
        try:
            values = place.next in (Next.LIST, Next.VALUE, Next.MORE)
            token = scanner.read(position, value=values)
        except QueryError as unclosed:
            return place, unclosed.position
        if token.end == len(text) and not _is_whole(token, place):
            return place, token.position
        place, position = _behind(token, place), token.end


def _is_whole(token: Token, place: Place) -> bool:
    """A sign that nothing can be added to. `!` may become `!=`."""
    if token.kind in (Kind.AND, Kind.OR, Kind.NOT):
        return token.end - token.position < len(token.text) and place.next is not Next.SIGN
    return token.kind in (Kind.OPEN, Kind.CLOSE)


def _behind(token: Token, place: Place) -> Place:
    match place.next:
        case Next.CONDITION:
            return _behind_beginning(token, place)
        case Next.FIELD if token.kind is Kind.WORD:
            return Place(Next.ANYTHING, place.depth)
        case Next.SIGN:
            return _behind_name(token, place)
        case Next.LIST if token.kind is Kind.OPEN:
            return replace(place, next=Next.VALUE)
        case Next.VALUE if token.kind in (Kind.WORD, Kind.PHRASE):
            listed = place.sign.endswith("^")
            return replace(place, next=Next.MORE) if listed else Place(Next.ANYTHING, place.depth)
        case Next.MORE:
            return _behind_listed(token, place)
        case Next.ANYTHING:
            return _behind_condition(token, place)
    return Place(Next.NOTHING)


def _behind_beginning(token: Token, place: Place) -> Place:
    match token.kind:
        case Kind.NOT:
            return place
        case Kind.OPEN:
            return Place(depth=place.depth + 1)
        case Kind.PHRASE:
            return Place(Next.ANYTHING, place.depth)
        case Kind.WORD if token.text.lower() in PREFIXES:
            return Place(Next.FIELD, place.depth)
        case Kind.WORD:
            field = fields.find(token.text)
            return Place(Next.SIGN if field else Next.ANYTHING, place.depth, field)
    return Place(Next.NOTHING)


def _behind_name(token: Token, place: Place) -> Place:
    assert place.field
    kind = place.field.kind
    of_times = kind is fields.Kind.TIME and token.text.lower() in OF_TIMES
    if token.kind not in (Kind.OPERATOR, Kind.LIST) and not of_times:
        return _behind_condition(token, place)
    if token.text not in OPERATORS[kind] and not of_times:
        return Place(Next.NOTHING)
    following = Next.LIST if token.kind is Kind.LIST else Next.VALUE
    return replace(place, next=following, sign=token.text)


def _behind_listed(token: Token, place: Place) -> Place:
    if token.kind is Kind.CLOSE:
        return Place(Next.ANYTHING, place.depth)
    if token.text == ",":
        return replace(place, next=Next.VALUE)
    return replace(place, next=Next.MORE)


def _behind_condition(token: Token, place: Place) -> Place:
    if token.kind in (Kind.AND, Kind.OR):
        return Place(depth=place.depth)
    if token.kind is Kind.CLOSE and place.depth:
        return Place(Next.ANYTHING, place.depth - 1)
    return _behind_beginning(token, Place(depth=place.depth))
