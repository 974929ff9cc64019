"""A task's input: typed words read, defaults filled in, everything checked against the fields."""

from collections.abc import Mapping
from copy import deepcopy

from taskd.catalog.schema import find_problem
from taskd.catalog.words import read_word
from taskd.model.definition import Definition, Field
from taskd.model.errors import InvalidInput
from taskd.model.schema import expected
from taskd.model.step import JSON
from taskd.model.suggest import did_you_mean


def read_input(
    definition: Definition, input: Mapping[str, JSON], words: Mapping[str, str]
) -> dict[str, JSON]:
    """The whole input, in the order of the fields. `words` go before `input`.

    Raises InvalidInput that names all problems, and never the value of a secret.
    """
    values: dict[str, JSON] = {}
    problems: list[str] = []
    known = 0
    for field in definition.fields:
        name, schema = field.name, field.schema
        if name in words:
            value = read_word(words[name], schema)
            known += 1 + (name in input)
        elif name in input:
            value = input[name]
            known += 1
        else:
            if field.required:
                problems.append(f"{name!r} is missing, expected {expected(schema)}")
            values[name] = _default(field)
            continue
        values[name] = value
        # Most fields are plain text: this line is for speed alone.
        if type(value) is not str or schema.get("type") != "string":
            problem = find_problem(value, schema, name)
            if problem:
                problems.append(problem)
    if known != len(input) + len(words):
        problems += _unknown(definition, (*input, *words))
    if problems:
        raise _refusal(definition, problems)
    return values


def _default(field: Field) -> JSON:
    value = field.default
    return deepcopy(value) if isinstance(value, list | dict) else value


def _unknown(definition: Definition, given: tuple[str, ...]) -> list[str]:
    names = [field.name for field in definition.fields]
    return [
        f"{name!r} is unknown{did_you_mean(name, names)}"
        for name in dict.fromkeys(given)
        if name not in names
    ]


def _refusal(definition: Definition, problems: list[str]) -> InvalidInput:
    names = [f.name if f.required else f"[{f.name}]" for f in definition.fields]
    return InvalidInput(
        f"cannot start {definition.label}: " + "; ".join(problems),
        hint=f"its inputs: {', '.join(names)}" if names else "it takes no input",
    )
