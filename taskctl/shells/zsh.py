"""zsh: it knows of quotes, and shows what a match means."""

from collections.abc import Sequence

from taskctl.shells.typed import Suggestion, Typed, unquoted
from taskd.model.inert import inert

SCRIPT = r"""#compdef taskctl
# Completion for taskctl, of `taskctl completion zsh`.
_taskctl() {
    local word shown goes_on
    local -a whole whole_shown begun begun_shown
    while IFS=$'\t' read -r word shown goes_on; do
        if [[ -n $goes_on ]]; then
            begun+=("$word") begun_shown+=("$shown")
        else
            whole+=("$word") whole_shown+=("$shown")
        fi
    done < <(_TASKCTL_COMPLETE=zsh $words[1] "${(@)words[2,CURRENT-1]}" "$QIPREFIX$PREFIX" \
        </dev/null 2>/dev/null)
    compadd -U -V taskctl -l -d whole_shown -a whole
    compadd -U -V taskctl -l -d begun_shown -S '' -a begun
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _taskctl "$@"
else
    compdef _taskctl taskctl
fi
"""


def read(words: Sequence[str]) -> Typed:
    *before, word = map(unquoted, words)
    return Typed(before, word)


def write(_typed: Typed, found: Sequence[Suggestion]) -> list[str]:
    width = max((len(each.word) for each in found), default=0)
    return [_line(each, f"{each.word:{width}}  {each.help}".rstrip()) for each in found]


def _line(suggestion: Suggestion, shown: str) -> str:
    return f"{suggestion.word}\t{inert(shown)}" + "\tgoes on" * suggestion.goes_on
