"""JSON-RPC 2.0, one message a line; and dataclasses to JSON and back.

→ {"jsonrpc":"2.0","id":1,"method":"tasks.resume","params":{"task_id":42}}
← {"jsonrpc":"2.0","id":1,"result":{"id":42,"state":"running", …}}
← {"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"cannot resume task 42: it is stopped",
                                   "data":{"code":"invalid-state","hint":""}}}

Many requests may be in flight on a connection; answers come in any order. The first request is
`hello`. A line has at most `MAX_LINE` bytes and `MAX_VALUES` values: small ones, such as `[]`, take
many times as much memory as on the line. They are nested at most `MAX_DEPTH` levels deep: Python
reads and writes no more than 1000, and what was read here is written within others.
"""

import json
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache, partial
from typing import Any, TypeVar, Union

from taskd.model.errors import InvalidInput, ProtocolError, QueryError, TaskdError, by_code

PROTOCOL = 1
MAX_LINE = 16 * 1024 * 1024
MAX_VALUES = 200_000
MAX_DEPTH = 100
MAX_MESSAGE = 10_000  # characters: it may quote what was asked
FILES = "put large data in a file and pass its name"

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
INTERNAL_ERROR, REFUSED = -32603, -32000

# A separator and what is before it; in texts there are none.
_VALUE = re.compile(rb'(?:[^",\[{]++|"(?:[^"\\]++|\\.)*+"?)*+[,\[{]', re.DOTALL)

T = TypeVar("T")


def dumps(value: object) -> str:
    """`value` as JSON on one line; dataclasses, enums, datetimes and tuples included."""
    return _encoder.encode(value)


def encode(value: Any) -> Any:
    """`value` as plain JSON data."""
    return json.loads(dumps(value))


def request(number: int, method: str, params: Mapping[str, object]) -> bytes:
    """Raises InvalidInput for one that no daemon takes."""
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    try:
        line = dumps(message).encode() + b"\n"
    except RecursionError:
        raise too_deep() from None
    if refusal := excess(line):
        raise InvalidInput(refusal.message, hint=refusal.hint)
    check_depth(line, message)
    return line


def excess(line: bytes) -> ProtocolError | None:
    """What is too much of a request."""
    if len(line) > MAX_LINE:
        return too_large()
    if len(line) <= MAX_VALUES or _separators(line) <= MAX_VALUES:
        return None
    count = place = 0
    while count <= MAX_VALUES and (value := _VALUE.match(line, place)):
        count, place = count + 1, value.end()
    if count <= MAX_VALUES:
        return None
    return ProtocolError(f"the request holds more than {MAX_VALUES:,} values", hint=FILES)


def _separators(line: bytes) -> int:
    return line.count(b",") + line.count(b"[") + line.count(b"{")


def check_depth(line: bytes, value: object) -> None:
    """Refuse a line whose value has lists or mappings in too many others. Raises InvalidInput."""
    if line.count(b"[") + line.count(b"{") <= MAX_DEPTH:
        return
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise too_deep()


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def too_deep() -> InvalidInput:
    return InvalidInput(f"what is given is nested more than {MAX_DEPTH} levels deep")


def too_large() -> ProtocolError:
    return ProtocolError(f"the request is larger than {MAX_LINE >> 20} MiB", hint=FILES)


def result(number: object, value: str) -> bytes:
    """The answer whose result is the JSON text `value`."""
    id = number if type(number) is int else json.dumps(number)
    return f'{{"jsonrpc":"2.0","id":{id},"result":{value}}}\n'.encode()


def failure(number: object, error: TaskdError, code: int = REFUSED) -> bytes:
    data: dict[str, object] = {"code": error.code, "hint": error.hint}
    if isinstance(error, QueryError):
        data |= {"position": error.position, "query": error.query}
    message = error.message
    if len(message) > MAX_MESSAGE:
        message = f"{message[:MAX_MESSAGE]}…"
    body = {"code": code, "message": message, "data": data}
    return dumps({"jsonrpc": "2.0", "id": number, "error": body}).encode() + b"\n"


def error_from(body: Mapping[str, Any]) -> TaskdError:
    """The exception that an `error` object stands for."""
    data = body.get("data") or {}
    kind = by_code(data.get("code", "error"))
    extra = {name: data[name] for name in ("position", "query") if name in data}
    return kind(str(body.get("message", "unknown error")), hint=data.get("hint", ""), **extra)


def loads(line: bytes | str) -> Any:
    """The JSON value of a line. Raises ProtocolError."""
    try:
        return _decoder.decode(line if isinstance(line, str) else line.decode())
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"cannot read the message as JSON: {error}") from None


def check(value: object) -> None:
    """Refuse what JSON can write and nobody can keep: numbers too large, halves of surrogate pairs.

    Raises InvalidInput.
    """
    try:
        for part in _plain.iterencode(value):  # the whole would be there once more
            part.encode()
    except UnicodeEncodeError:
        raise InvalidInput("the request holds half of a surrogate pair, no text") from None
    except ValueError:
        raise InvalidInput("the request holds a number that is too large") from None


def decode(kind: type[T], data: Any) -> T:
    """`data` as a `kind`: a dataclass, an enum, a datetime or a container of these.

    Unknown keys are passed over, so that an older client reads a newer daemon.
    """
    return typing.cast(T, _reader(kind)(data))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _default(value: object) -> object:
    if type(value) is datetime:
        return _time_text(value)
    if is_dataclass(value):
        return _record(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


def _record(value: Any) -> dict[str, object]:
    """A class may name fields that stay in the daemon (`__hidden__`), dicts of records by name
    that travel as lists (`__records__`), and give more than its fields (`__wire__`)."""
    kind = type(value)
    hidden = getattr(kind, "__hidden__", ())
    record = {name: field for name, field in value.__dict__.items() if name not in hidden}
    for name in getattr(kind, "__records__", ()):
        record[name] = list(record[name].values())
    if extra := getattr(value, "__wire__", None):
        record |= extra()
    return record


@lru_cache(64)  # what one commit changed has one time
def _time_text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _same(value: object) -> object:
    return value


_decoder = json.JSONDecoder(parse_constant=_no_constant)
_plain = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_encoder = json.JSONEncoder(
    default=_default, separators=(",", ":"), ensure_ascii=True, allow_nan=False
)


_readers: dict[Any, Callable[[Any], Any]] = {}


def _reader(kind: Any) -> Callable[[Any], Any]:
    reader = _readers.get(kind)
    if reader is None:
        reader = _readers[kind] = _make_reader(kind)
    return reader


def _make_reader(kind: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        inner = _reader(next(a for a in arguments if a is not type(None)))
        return lambda data: None if data is None else inner(data)
    if origin in (list, tuple):
        item = _reader(arguments[0])
        return lambda data: origin(item(x) for x in data)
    if origin is dict:
        value = _reader(arguments[1])
        if is_dataclass(arguments[1]):
            return lambda data: {item["name"]: value(item) for item in data or ()}
        return lambda data: {k: value(v) for k, v in data.items()}
    if is_dataclass(origin or kind):
        return _make_dataclass_reader(origin or kind, arguments)
    if kind is datetime:
        return lambda data: datetime.fromisoformat(data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return lambda data: data


def _make_dataclass_reader(kind: Any, arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(kind)
    parameters = dict(zip(getattr(kind, "__parameters__", ()), arguments, strict=False))
    readers: list[tuple[str, Callable[[Any], Any]]] = []
    defaults: dict[str, Callable[[], Any]] = {}
    for field in fields(kind):
        hint = hints[field.name]
        readers.append((field.name, _reader(_substitute(hint, parameters))))
        if field.default_factory is not MISSING:
            defaults[field.name] = field.default_factory
        elif field.default is not MISSING:
            defaults[field.name] = partial(_same, field.default)

    def read(data: Mapping[str, Any]) -> Any:
        new = object.__new__(kind)
        try:
            for name, reader in readers:
                new.__dict__[name] = reader(data[name]) if name in data else defaults[name]()
        except KeyError as missing:
            raise ProtocolError(f"{kind.__name__} without {missing}") from None
        return new

    return read


def _substitute(hint: Any, parameters: Mapping[Any, Any]) -> Any:
    if hint in parameters:
        return parameters[hint]
    if generic := getattr(hint, "__parameters__", ()):
        return hint[tuple(parameters[a] for a in generic)]
    return hint
