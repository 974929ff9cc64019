"""What a query that is being typed may become."""

from collections.abc import Mapping
from random import Random

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st

from taskd.search.asker import Asker
from taskd.search.complete import complete
from taskd.search.fields import FIELDS, OPERATORS, Field
from taskd.search.parser import parse

ASKER = Asker("ana", 1000, NOW, saved={"stuck": "state = paused"})
IN_USE: Mapping[str, list[str]] = {
    "label": ["backup.site", "two words", 'say "no"', "and", "-x", "a=b\\", "größe", "", "\x1b[2J"],
    "resource": ["site:blog", "site:two words"],
    "user": ["ana", "bob"],
    "input": ["site", "keep", "Fast", "no word", "a=b"],
    "input.keep": ["true", "7"],
}


def known(name: str, begin: str) -> list[str]:
    return [value for value in IN_USE.get(name, ()) if value.lower().startswith(begin.lower())]


def texts(text: str) -> list[str]:
    return [each.text for each in complete(text, ASKER, known)]


SUGGESTED = {
    # a condition begins
    "sta": ["state", "start_at", "start_before", "started_at", "state_updated_at"],
    "STAR": ["start_at", "start_before", "started_at"],
    "(sta": ["(state", "(start_at", "(start_before", "(started_at", "(state_updated_at"],
    "-progr": [f"-progress {sign}" for sign in ("=", "!=", ">", ">=", "<", "<=", "^", "!^")],
    "ow": ["owner", "owner.login", "owner.id"],
    "has inp": ["has input.site", "has input.keep", "has input.Fast"],
    "has input.f": ["has input.Fast", "has input.Fast and", "has input.Fast or"],
    "@": ["@stuck", "@stuck and", "@stuck or"],
    "n": ["name", "not", "null?"],
    # operators
    "labe": [f"label {sign}" for sign in ("=", "!=", "~", "!~", "^", "!^")],
    "label !": ["label !=", "label !~", "label !^"],
    "state ": ["state =", "state !=", "state ^", "state !^"],
    "step.state": [f"step.state {sign}" for sign in ("=", "!=", "^", "!^")],
    "ended_at a": ["ended_at after", "ended_at at"],
    # values
    "state = pau": ["state = paused", "state = paused and", "state = paused or"],
    "state=PAU": ["state=paused", "state=paused and", "state=paused or"],
    "label = b": ["label = backup.site", "label = backup.site and", "label = backup.site or"],
    "label = tw": [f'label = "two words"{more}' for more in ("", " and", " or")],
    'label = "b': [f'label = "backup.site"{more}' for more in ("", " and", " or")],
    r'label = "say \"n': [rf'label = "say \"no\""{more}' for more in ("", " and", " or")],
    "resource = site:": [f"resource = site:blog{more}" for more in ("", " and", " or")],
    "user =": ["user = current_user", "user = ana", "user = bob"],
    "user.id =": [f"user.id = current_user{more}" for more in ("", " and", " or")],
    "input.keep > ": [f"input.keep > 7{more}" for more in ("", " and", " or")],
    "started_at > 3": [f'started_at > "30 days ago"{more}' for more in ("", " and", " or")],
    # lists
    "type ^": ["type ^ (python", "type ^ (yaml", "type ^ (shell"],
    "state ^ (pau": ["state ^ (paused,", "state ^ (paused)"],
    "state ^ (paused, st": ["state ^ (paused, stopped,", "state ^ (paused, stopped)"],
    "state ^ (paused)": ["state ^ (paused) and", "state ^ (paused) or"],
    # and, or
    "state = paused ": ["state = paused and", "state = paused or"],
    "(state = paused ": ["(state = paused and", "(state = paused or", "(state = paused)"],
    "state = paused dur": [
        f"state = paused duration {s}" for s in ("=", "!=", ">", ">=", "<", "<=")
    ],
    "id = 5": ["id = 5", "id = 5 and", "id = 5 or"],
    "(id = 5": ["(id = 5 and", "(id = 5 or", "(id = 5)"],
    "id ^ (5": ["id ^ (5,", "id ^ (5)"],
    "id ^ (x": [],
    "blog": ["blog", "blog and", "blog or"],
    # nothing would mend it
    "state = x": [],
    "state = x ": [],
    "id = ": [],
    "state > ": [],
    "and": [],
    "a)": [],
    'label = "x': [],
    "@unknown": [],
    "x" * 5000: [],
    " " * 4090 + "id = 5": [" " * 4090 + "id = 5"],
}


@pytest.mark.parametrize("text", SUGGESTED, ids=lambda text: repr(text[:30]))
def test_query_may_become(text: str) -> None:
    assert texts(text) == SUGGESTED[text]


def test_everything_that_begins_a_condition_is_suggested_at_first() -> None:
    names = {field.name for field in FIELDS} | {"input.site", "input.keep", "input.Fast"}

    assert set(texts("")) == names | {"not", "has", "null?", "(", "@stuck"}


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_operators_are_those_of_the_field(field: Field) -> None:
    signs = {text.removeprefix(f"{field.name} ") for text in texts(f"{field.name} ")}

    assert signs - {"before", "after", "at"} == set(OPERATORS[field.kind])


def test_each_is_explained() -> None:
    helps = {each.text: each.help for each in complete("", ASKER, known)}

    assert helps["started_at"] == "time"
    assert helps["state"] == "scheduled, planned, running, paused, stopped"
    assert helps["@stuck"] == "state = paused"


def test_what_a_terminal_would_act_on_is_never_suggested() -> None:
    assert not [text for text in texts("label = ") if not text.isprintable()]


@given(st.randoms(use_true_random=False))
def test_suggestion_cut_anywhere_leads_to_a_query(dice: Random) -> None:
    text = ""
    for _ in range(dice.randrange(1, 12)):
        if not (found := texts(text)):
            break
        text = dice.choice(found)
    text = text[: dice.randrange(len(text) + 1)]

    for _ in range(30):
        found = texts(text)
        if f"{text} and" in found and f"{text})" not in found:
            break
        longer = [each for each in found if each != text and not each.endswith("(")]
        closing = [each for each in longer if each.endswith(")")]
        own = f"{text} (5)" if text.endswith("^") else f"{text} 5"  # for `id =` there is nothing
        text = dice.choice(closing or longer or [own])

    parse(text, ASKER)


@given(st.text('ab=~<>!^()[],-&|"\\ @.\0\ud800ü') | st.text())
def test_whatever_is_typed_is_answered(text: str) -> None:
    for each in texts(text):
        assert each.isprintable() or not text.isprintable()
