"""A query's text to its tree, by recursive descent.

query      := or_expr { or_expr }                a space is "and", and binds loosest
or_expr    := and_expr { or and_expr }
and_expr   := not_expr { and not_expr }
not_expr   := { not } primary
primary    := "(" query ")" | condition | text | @saved
condition  := field OP value | field ^ "(" value { [","] value } ")" | has field | null? field
"""

from collections.abc import Callable

from taskd.model.errors import QueryError
from taskd.model.record import replace
from taskd.model.suggest import did_you_mean
from taskd.search import fields
from taskd.search.asker import Asker
from taskd.search.fields import OPERATORS, Field
from taskd.search.nodes import And, Condition, Every, Has, Node, Not, Null, Or, Text
from taskd.search.scanner import Kind, Scanner, Token
from taskd.search.values import MAX_PATTERN, Value, read_value

MAX_BYTES = 4096
MAX_CONDITIONS = 100
MAX_DEPTH = 32  # of parentheses and nots

OF_TIMES = {"before": "<", "after": ">", "at": "="}
FOREIGN = ("in", "is", "like", "eq", "ne", "contains", "matches", "equals")  # not ours
PREFIXES: dict[str, Callable[[Field], Node]] = {"has": Has, "set?": Has, "null?": Null}


def parse(text: str, asker: Asker) -> Node:
    """The tree; a blank query is `Every(())`. Raises QueryError, with the position in `text`."""
    _refuse_what_is_no_text(text)
    if not text.strip():
        return Every(())
    try:
        return _Parser(text, asker).parse()
    except QueryError as error:
        error.query = text
        raise


class _Parser:
    def __init__(self, text: str, asker: Asker, conditions: int = 0) -> None:
        """`conditions`: how many there are already in the query that this one is a part of."""
        self._scanner = Scanner(text)
        self._asker = asker
        self._vocabulary = asker.vocabulary
        self._token = self._scanner.read(0)  # the next one to be taken
        self._conditions = conditions
        self._depth = 0

    def parse(self) -> Node:
        node = self._query()
        if self._at(Kind.CLOSE):
            raise _wrong(self._token, "this parenthesis was never opened")
        return node

    def _query(self) -> Node:
        parts = [self._or()]
        while not self._at(Kind.CLOSE, Kind.END):
            parts.append(self._or())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _or(self) -> Node:
        parts = [self._and()]
        while self._at(Kind.OR):
            self._take()
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Node:
        parts = [self._not()]
        while self._at(Kind.AND):
            self._take()
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _not(self) -> Node:
        if not self._at(Kind.NOT):
            return self._primary()
        self._deeper(self._take())
        part = self._not()
        self._depth -= 1
        return Not(part)

    def _primary(self) -> Node:
        token = self._token
        match token.kind:
            case Kind.OPEN:
                return self._group()
            case Kind.WORD:
                return self._counted(token, self._condition())
            case Kind.PHRASE:
                return self._counted(token, self._text(self._take()))
        raise _wrong(token, f"expected a condition, found {self._shown(token)}")

    def _group(self) -> Node:
        opening = self._take()
        self._deeper(opening)
        node = self._query()
        if not self._at(Kind.CLOSE):
            raise _wrong(opening, "this parenthesis is never closed")
        self._take()
        self._depth -= 1
        return _apart(node)

    def _condition(self) -> Node:
        word = self._take()
        if prefix := PREFIXES.get(word.text.lower()):
            return prefix(self._field(self._take_field(word)))
        if self._at(Kind.LIST):
            return self._list(self._field(word), self._take(value=True))
        if self._at(Kind.OPERATOR):
            return self._comparison(self._field(word), self._take(value=True))
        if word.text[0] == "@":
            return self._saved(word)
        found = self._vocabulary.find(word.text)
        named = OF_TIMES.get(self._token.text.lower()) if self._at(Kind.WORD) else None
        if named and found and found.kind is fields.Kind.TIME:
            sign = self._take(value=True)
            return self._comparison(found, Token(Kind.OPERATOR, named, sign.position, sign.end))
        self._refuse_foreign(word, found)
        return self._text(word)

    def _refuse_foreign(self, word: Token, found: Field | None) -> None:
        """What other languages take for a condition would be two texts here, which match less, or
        more, than is meant."""
        follower = self._token
        looks = follower.text.lower() in FOREIGN or follower.text[:1] in ("^", ":")
        if found and follower.kind is Kind.WORD and looks:
            signs = ", ".join(OPERATORS[found.kind])
            told = f"{follower.text[:50]!r} is no operator for {found.name}: {signs}"
            raise _wrong(follower, f"{told}; as a text it needs quotes")
        begin, colon, _ = word.text.partition(":")
        if colon and self._vocabulary.find(begin):
            told = f"{begin} is a field: expected an operator after it, not ':'"
            raise _wrong(word, f"{told}; as a text it needs quotes")
        for prefix in ("set?", "null?"):
            if begin.lower().startswith(prefix):
                raise _wrong(word, f"expected a space after {prefix}")

    def _saved(self, word: Token) -> Node:
        name, known = word.text[1:], self._asker.saved
        if name not in known:
            there_are = f"; there are {', '.join(known)}" if known else ""
            near = did_you_mean(name, known) or there_are
            told = f"there is no saved search {name[:50]!r} (as a text it needs quotes){near}"
            raise _wrong(word, told)
        others = {other: query for other, query in known.items() if other != name}
        parser = _Parser(known[name], replace(self._asker, saved=others), self._conditions)
        try:
            node = parser.parse()
        except QueryError as error:
            told = f"the saved search {name!r} cannot be read: {error.message}"
            raise _wrong(word, told) from None
        self._conditions = parser._conditions
        return _apart(node)

    def _comparison(self, field: Field, sign: Token) -> Node:
        _check_operator(field, sign)
        value = self._value(self._take(), field, sign)
        return Condition(field, sign.text, (value,))

    def _list(self, field: Field, sign: Token) -> Node:
        _check_operator(field, sign)
        if not self._at(Kind.OPEN):
            raise _wrong(self._token, f"expected a list after {sign.text}, as in (a, b)")
        opening = self._take(value=True)
        values: list[Value] = []
        while not self._at(Kind.CLOSE):
            if self._at(Kind.END):
                raise _wrong(opening, "this list is never closed")
            values.append(self._value(self._take(value=True), field, sign))
            if self._at(Kind.AND) and self._token.text == ",":
                comma = self._take(value=True)
                if self._at(Kind.CLOSE):
                    raise _wrong(comma, "expected a value after the comma")
        if not values:
            raise _wrong(opening, "this list is empty")
        self._take()
        return Condition(field, sign.text, tuple(values))

    def _value(self, token: Token, field: Field, sign: Token) -> Value:
        if token.kind not in (Kind.WORD, Kind.PHRASE):
            typed = self._scanner.text_of(token)
            quotes = f'; as a value it needs quotes: "{typed}"' if typed else ""
            found = self._shown(token)
            raise _wrong(token, f"expected a value after {sign.text}, found {found}{quotes}")
        try:
            return read_value(token.text, field, sign.text, self._asker)
        except ValueError as error:
            raise _wrong(token, str(error)) from None

    def _text(self, token: Token) -> Text:
        if not token.text:
            raise _wrong(token, "this text is empty: every task has it")
        if len(token.text) > MAX_PATTERN:
            raise _wrong(token, f"this is longer than {MAX_PATTERN} characters")
        if self._at(Kind.OPERATOR) and token.kind is Kind.PHRASE:
            raise _wrong(token, f"expected a field before {self._token.text}, found a phrase")
        return Text(token.text)

    def _take_field(self, prefix: Token) -> Token:
        if not self._at(Kind.WORD):
            told = f"expected a field after {prefix.text}, found {self._shown(self._token)}"
            raise _wrong(self._token, told)
        return self._take()

    def _field(self, word: Token) -> Field:
        found = self._vocabulary.find(word.text)
        if not found:
            value_of = self._vocabulary.with_value(word.text)
            near = did_you_mean(word.text.lower(), tuple(self._vocabulary.names))
            if value_of:
                near = f"; did you mean {value_of.name} = {word.text.lower()}?"
            raise _wrong(word, f"there is no field {word.text[:50]!r}{near}")
        return found

    def _shown(self, token: Token) -> str:
        """As it was written."""
        return str(token.kind) if token.kind is Kind.END else repr(self._scanner.text_of(token))

    def _at(self, *kinds: Kind) -> bool:
        return self._token.kind in kinds

    def _take(self, *, value: bool = False) -> Token:
        """The token at hand; what follows it is read. `value`: a value is to follow."""
        token = self._token
        self._token = self._scanner.read(token.end, value=value)
        return token

    def _deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _wrong(token, f"more than {MAX_DEPTH} parentheses and nots in each other")

    def _counted(self, token: Token, node: Node) -> Node:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise _wrong(token, f"more than {MAX_CONDITIONS} conditions")
        return node


def _apart(node: Node) -> Node:
    """In a chain of its own."""
    return And((node,)) if isinstance(node, Condition | Has) else node


def _check_operator(field: Field, sign: Token) -> None:
    allowed = OPERATORS[field.kind]
    if sign.text not in allowed:
        there_are = ", ".join(allowed)
        raise _wrong(sign, f"{sign.text} is not for {field.name}, a {field.kind}: {there_are}")


def _refuse_what_is_no_text(text: str) -> None:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise QueryError(f"the query is longer than {MAX_BYTES} bytes", position=0)
    for position, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise QueryError("this is no text: a NUL, or half of a pair", position=position)


def _wrong(token: Token, message: str) -> QueryError:
    return QueryError(message, position=token.position)
