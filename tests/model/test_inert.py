"""No text that others wrote acts on a terminal."""

import pytest

from taskd.model.inert import inert, inert_cell

HOSTILE = {
    "\x1b[31mred": r"\x1b[31mred",
    "\x1b]52;c;aGk=\x07": r"\x1b]52;c;aGk=\x07",
    "two\nlines\r": r"two\x0alines\x0d",
    "\x9b2J": r"\x9b2J",
    "del\x7f": r"del\x7f",
    "\u202etxt.exe": r"\u202etxt.exe",
    "\u2066x\u2069": r"\u2066x\u2069",
    "a\u2028b": r"a\u2028b",
    "\ud800": r"\ud800",
    "\U000e0041": r"\U000e0041",
}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_a_terminal_acts_on_is_shown_as_an_escape(text: str) -> None:
    assert inert(text) == HOSTILE[text]


@pytest.mark.parametrize(
    "text", ["[/]", "[red]x[/red]", ":smile:", "žluťoučký kůň", "日本", "👩‍🚀"]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


def test_wanted_line_breaks_are_kept() -> None:
    assert inert("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"


@pytest.mark.parametrize("text", ["=1+1", "+a", "-a", "@SUM(A1)", "\uff1d1"])
def test_formula_is_no_formula_in_csv(text: str) -> None:
    assert inert_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["-1", "+2.5", "-1e9", "plain"])
def test_numbers_and_words_stay_as_they_are_in_csv(text: str) -> None:
    assert inert_cell(text) == text
