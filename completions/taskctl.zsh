#compdef taskctl
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
