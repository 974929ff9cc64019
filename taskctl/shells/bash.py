"""bash: it splits words at `=` and `:`, and takes what it is given as it is."""

import os
import re
from collections.abc import Sequence
from itertools import takewhile

from taskctl.shells.typed import Suggestion, Typed, open_quote, split, unquoted
from taskd.model.inert import inert

SCRIPT = r"""# Completion for taskctl, of `taskctl completion bash`.
_taskctl() {
    mapfile -t COMPREPLY < <(_TASKCTL_COMPLETE=bash _TASKCTL_LISTS=$((COMP_TYPE == 63)) \
        "$1" "$2" "${COMP_LINE:0:COMP_POINT}" </dev/null 2>/dev/null)
    [[ ${COMPREPLY[0]} == *[=/:,@] ]] && compopt -o nospace
    return 0
}
complete -o nosort -F _taskctl taskctl
"""

_PLAIN = re.compile(r"[\w@%+=:,./-]*")
WIDE = 78  # columns of a list


def read(words: Sequence[str]) -> Typed:
    """`raw` ends in what bash will replace: what follows the last of its breaks, or a quote."""
    replaced, line = words
    before, raw = split(line)
    kept = raw.removesuffix(replaced)
    return Typed([unquoted(word) for word in before[1:]], unquoted(raw), kept)


def write(typed: Typed, found: Sequence[Suggestion]) -> list[str]:
    """When it asks twice it only lists them."""
    if os.environ.get("_TASKCTL_LISTS") == "1" and len(found) > 1:
        return _listed(found)
    kept, quote = unquoted(typed.raw), open_quote(typed.raw)
    rests = [each.word[len(kept) :] for each in found]
    if quote or all(map(_PLAIN.fullmatch, rests)):
        return [_within(quote, rest) for rest in rests]
    whole = len(found) == 1 and not found[0].goes_on
    end = "'" if whole else ""  # else the quote stays open for what will follow
    return [f"'{_within(chr(39), rest)}{end}" for rest in rests]


def _within(quote: str, text: str) -> str:
    if quote == "'":
        return text.replace("'", r"'\''")
    return re.sub(r'([\\"$`])', r"\\\1", text) if quote else text


def _listed(found: Sequence[Suggestion]) -> list[str]:
    """From the word on in which they begin to differ, and with their help."""
    words = [each.word for each in found]
    columns = zip(*words, strict=False)
    common = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
    begin = words[0].rfind(" ", 0, common) + 1
    width = max(map(len, words)) - begin
    return [inert(f"{each.word[begin:]:{width}}  {each.help}".rstrip())[:WIDE] for each in found]
