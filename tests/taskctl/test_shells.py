"""How a typed line is read, and how what may stand there is written for each shell."""

import subprocess
from pathlib import Path

import pytest

from taskctl.shells import bash, fish, zsh
from taskctl.shells.typed import Suggestion, Typed, open_quote, split, unquoted

NASTY = (
    "plain", "two words", "it's", 'say "no"', "$(touch x)", "`id`", "a\\b", "a;b", "*", "~", "!x",
    "$HOME", "ü", "a=b:c", "#", "{a,b}",
)  # fmt: skip
COMPLETIONS = Path(__file__).parents[2] / "completions"


@pytest.mark.parametrize(
    ("line", "words", "word"),
    [
        ("taskctl ", ["taskctl"], ""),
        ("taskctl li", ["taskctl"], "li"),
        ("taskctl  list  --search 'a = b", ["taskctl", "list", "--search"], "'a = b"),
        ("taskctl list --search=\"a = 'b", ["taskctl", "list"], "--search=\"a = 'b"),
        (r"taskctl a\ b", ["taskctl"], r"a\ b"),
        (r"taskctl 'it'\''s x", ["taskctl"], r"'it'\''s x"),
        ("taskctl 'a b' ", ["taskctl", "'a b'"], ""),
        ("taskctl a\\", ["taskctl"], "a\\"),
        ("", [], ""),
    ],
)
def test_line_is_split_as_a_shell_splits_it(line, words, word):
    assert split(line) == (words, word)


@pytest.mark.parametrize(
    ("raw", "meant", "quote"),
    [
        ("a", "a", ""),
        ("'a b", "a b", "'"),
        ("'a b'", "a b", ""),
        ("'", "", "'"),
        ("''", "", ""),
        ('--search="a \\"b', '--search=a "b', '"'),
        (r'"a\b\$c', r"a\b$c", '"'),
        (r"a\ b\'c", "a b'c", ""),
        (r"'it'\''s", "it's", "'"),
        ("a\\", "a", ""),
        ("", "", ""),
    ],
)
def test_word_is_read_without_its_quotes(raw, meant, quote):
    assert (unquoted(raw), open_quote(raw)) == (meant, quote)


@pytest.mark.parametrize("kept", ["", "'", '"', "--search=", "--search='", '--search="', "'a'b:"])
def test_what_is_inserted_means_to_bash_what_was_suggested(kept):
    close = open_quote(kept)
    typed = Typed([], "", kept)
    inserted = [
        kept + bash.write(typed, [Suggestion(unquoted(kept) + text)])[0] + close for text in NASTY
    ]

    script = f"printf '%s\\0' {' '.join(inserted)}"
    printed = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)

    assert printed.stdout.split("\0")[:-1] == [unquoted(kept) + text for text in NASTY]


def test_quote_stays_open_where_more_may_follow():
    several = [Suggestion("label ="), Suggestion("label !=")]

    assert bash.write(Typed([], "lab", ""), several) == ["'label =", "'label !="]
    assert bash.write(Typed([], "my", ""), [Suggestion("my dir/", goes_on=True)]) == ["'my dir/"]


def test_bash_lists_last_words_with_their_help(monkeypatch):
    monkeypatch.setenv("_TASKCTL_LISTS", "1")
    found = [Suggestion("a = paused", "\x1b[2J"), Suggestion("a = paused and", "both hold")]

    assert bash.write(Typed([], "", "'"), found) == [
        "paused      \\x1b[2J",
        "paused and  both hold",
    ]


def test_zsh_is_told_what_goes_on():
    found = [Suggestion("site=", "string", goes_on=True), Suggestion("plain")]

    assert zsh.write(Typed([], ""), found) == ["site=\tsite=  string\tgoes on", "plain\tplain"]


def test_help_is_harmless_in_other_shells():
    found = [Suggestion("42", "\x1b]0;title\x07\tx\ny")]

    assert zsh.write(Typed([], ""), found) == ["42\t42  \\x1b]0;title\\x07\\x09x\\x0ay"]
    assert fish.write(Typed([], ""), found) == ["42\t\\x1b]0;title\\x07\\x09x\\x0ay"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_is_the_one_that_is_installed(run, shell):
    """Stale: make completions."""
    assert run("completion", shell).out == (COMPLETIONS / f"taskctl.{shell}").read_text()
