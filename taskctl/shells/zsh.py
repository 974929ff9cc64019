"""zsh: it knows of quotes, and shows what a match means."""

from collections.abc import Sequence

from taskctl.shells.typed import Suggestion, Typed, unquoted
from taskctl.view.inert import inert

SCRIPT = r"""#compdef taskctl
# Completion for taskctl, of `taskctl completion zsh`.
_taskctl() {
    local word help
    local -a whole wholes begun beguns
    while IFS=$'\t' read -r word help; do
        if [[ $word == *[=/:,@] ]]; then
            begun+=("$word") beguns+=("$help")
        else
            whole+=("$word") wholes+=("$help")
        fi
    done < <(_TASKCTL_COMPLETE=zsh $words[1] "${(@)words[2,CURRENT-1]}" "$QIPREFIX$PREFIX" \
        </dev/null 2>/dev/null)
    compadd -U -V taskctl -l -d wholes -a whole
    compadd -U -V taskctl -l -d beguns -S '' -a begun
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
    shown = [f"{each.word:{width}}  {each.help}".rstrip() for each in found]
    return [f"{each.word}\t{inert(line)}" for each, line in zip(found, shown, strict=True)]
