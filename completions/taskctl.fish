# Completion for taskctl, of `taskctl completion fish`.
function __taskctl_complete
    set -l words (commandline -opc)
    set -l command $words[1]
    set -l word (commandline -ct)
    set -e words[1]
    _TASKCTL_COMPLETE=fish $command $words "$word" </dev/null 2>/dev/null
end
complete --command taskctl --no-files --keep-order --arguments '(__taskctl_complete)'
