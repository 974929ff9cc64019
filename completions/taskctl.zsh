#compdef taskctl
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
