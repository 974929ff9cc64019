"""fish: it knows of quotes, and shows what follows a tab as help."""

from collections.abc import Sequence

from taskctl.shells.typed import Suggestion, Typed, unquoted
from taskd.model.inert import inert

SCRIPT = r"""# Completion for taskctl, of `taskctl completion fish`.
function __taskctl_complete
    set -l words (commandline -opc)
    set -l command $words[1]
    set -l word (commandline -ct)
    set -e words[1]
    _TASKCTL_COMPLETE=fish $command $words "$word" </dev/null 2>/dev/null
end
complete --command taskctl --no-files --keep-order --arguments '(__taskctl_complete)'
"""


def read(words: Sequence[str]) -> Typed:
    """Those before the last are without quotes already."""
    return Typed(list(words[:-1]), unquoted(words[-1]))


def write(_typed: Typed, found: Sequence[Suggestion]) -> list[str]:
    return [f"{each.word}\t{inert(each.help)}" for each in found]
