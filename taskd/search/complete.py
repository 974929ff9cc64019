"""What a query that is being typed may become: fields, operators, values, `and`, `or`.

Each suggestion is the whole query up to the end of one more word, and can be completed again. One
stands alone only if it is a query; else it is taken for granted, and what may follow it is told.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from taskd.model.errors import QueryError
from taskd.model.suggestion import Suggestion
from taskd.search.asker import Asker
from taskd.search.fields import FIELDS, OBJECTS, OPERATORS, Field, Kind
from taskd.search.nodes import quoted
from taskd.search.parser import MAX_BYTES, parse
from taskd.search.place import Next, Place, read_end
from taskd.search.values import ME, read_value

# The values of a field (or the keys of `input` and `output`) that begin so, the most used first.
Known = Callable[[str, str], Iterable[str]]
Words = dict[str, str]  # each with its help

MAX_VALUE = 80  # characters

_OF_PHRASE = r'\\(["\\])|\\$|"'  # an escape; half of one, at the end; its quotes
_SIGNS = {
    "=": "is",
    "!=": "is not",
    "~": "contains; or, with *, is like",
    "!~": "does not contain",
    "^": "is one of",
    "!^": "is none of",
    ">": "more, later",
    ">=": "at least, not before",
    "<": "less, earlier",
    "<=": "at most, not after",
}
_OF_TIMES = {"before": "earlier", "after": "later", "at": "within"}
_BEGINNINGS = {
    "not": "the next condition does not hold",
    "has": "a field is set",
    "null?": "a field is not set",
    "(": "some conditions as one",
}
_FURTHER = {"and": "both hold", "or": "one of both holds"}
_VALUES: dict[Kind, Words] = {
    Kind.TIME: {
        "today": "",
        "yesterday": "",
        "monday": "the last one",
        "1 hour ago": "that minute",
        "1 day ago": "that day",
        "7 days ago": "that day",
        "30 days ago": "that day",
        "now": "this minute",
    },
    Kind.DURATION: {"10s": "seconds", "1m": "minute", "10m": "", "1h": "hour", "1d": "day"},
    Kind.NUMBER: {"0.5": "half"},
}


def complete(text: str, asker: Asker, known: Known) -> list[Suggestion]:
    """`text` is the query up to the cursor."""
    if len(text) > MAX_BYTES:
        return []
    found = _suggest(text, asker, known)
    if not found and _can_end(text, asker):
        found = [Suggestion(text)]
    while len(found) == 1:
        (only,) = found
        more = _suggest(only.text if only.text.endswith("(") else only.text + " ", asker, known)
        if _is_query(only.text, asker):
            return [only, *more]
        found = more
    return found


def _suggest(text: str, asker: Asker, known: Known) -> list[Suggestion]:
    """With one more word."""
    place, begin = read_end(text)
    head, stem = text[:begin], text[begin:]
    if place.next is Next.ANYTHING and not _holds(head, place, asker):
        return []
    if place.next is Next.VALUE:
        words = _values(place, stem, asker, known)
    else:
        words = _beginning_with(stem, _words(place, stem, asker, known))
    return [
        Suggestion(_joined(head, word), help) for word, help in words.items() if word.isprintable()
    ]


def _joined(head: str, word: str) -> str:
    if word in (",", ")"):
        return head.rstrip() + word
    return f"{head} {word}" if head.endswith((",", ")")) else head + word


def _beginning_with(stem: str, words: Words) -> Words:
    return {word: help for word, help in words.items() if word.lower().startswith(stem.lower())}


def _words(place: Place, stem: str, asker: Asker, known: Known) -> Words:
    match place.next:
        case Next.CONDITION:
            return _conditions(stem, asker, known)
        case Next.FIELD:
            return dict(_fields(stem, known))
        case Next.SIGN:
            assert place.field
            signs = {sign: _SIGNS[sign] for sign in OPERATORS[place.field.kind]}
            return signs | (_OF_TIMES if place.field.kind is Kind.TIME else {})
        case Next.LIST:
            return {"(": "of these"}
        case Next.MORE:
            return {",": "one more", ")": ""}
        case Next.ANYTHING:
            closing = {")": ""} if place.depth else {}
            return _FURTHER | closing | (_conditions(stem, asker, known) if stem else {})
    return {}


def _conditions(stem: str, asker: Asker, known: Known) -> Words:
    saved = {f"@{name}": query for name, query in asker.saved.items()}
    return dict(_fields(stem, known)) | _BEGINNINGS | saved


def _fields(stem: str, known: Known) -> Iterator[tuple[str, str]]:
    """Other names of fields, and keys, only where they were begun."""
    for field in FIELDS:
        yield field.name, ", ".join(field.values) or field.kind
        if stem:
            yield from ((name, f"as {field.name}") for name in field.also)
    for name in OBJECTS:
        begin = stem.lower()[: len(name) + 1]
        if f"{name}.".startswith(begin):
            keys = known(name, stem[len(name) + 1 :])
            yield from ((f"{name}.{key}", Kind.JSON) for key in keys if _is_word(key))


def _is_word(key: str) -> bool:
    return re.fullmatch(r"[\w.-]+", key) is not None


def _values(place: Place, stem: str, asker: Asker, known: Known) -> Words:
    """As they are written; those that go on as the stem does or, without such, mean its like."""
    field = place.field
    assert field
    always = stem.startswith('"')
    begin = re.sub(_OF_PHRASE, r"\1", stem) if always else stem
    found = {
        quoted(value, always=always): help
        for value, help in _known_values(field, begin, known).items()
        if value.lower().startswith(begin.lower()) and _is_value(value, place, asker)
    }
    return {word: help for word, help in found.items() if word.startswith(stem)} or found


def _known_values(field: Field, begin: str, known: Known) -> Words:
    fixed = dict.fromkeys(field.values, "") | _VALUES.get(field.kind, {})
    me = {ME: "who asks"} if field.me else {}
    if field.kind not in (Kind.TEXT, Kind.JSON):
        return fixed | me
    return me | dict.fromkeys(known(field.name, begin), "")


def _is_value(text: str, place: Place, asker: Asker) -> bool:
    assert place.field
    try:
        read_value(text, place.field, place.sign, asker)
    except ValueError:
        return False
    return len(text) <= MAX_VALUE


def _can_end(text: str, asker: Asker) -> bool:
    """But for parentheses."""
    place, _ = read_end(text + " ")
    return place.next in (Next.ANYTHING, Next.MORE) and _holds(text, place, asker)


def _is_query(text: str, asker: Asker) -> bool:
    place, _ = read_end(text + " ")
    return place.next is Next.ANYTHING and not place.depth and _holds(text, place, asker)


def _holds(text: str, place: Place, asker: Asker) -> bool:
    """Whether it can be read once what is open is closed."""
    try:
        parse(text + ")" * (place.depth + (place.next is Next.MORE)), asker)
    except QueryError:
        return False
    return True
