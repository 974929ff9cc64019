# Completion for taskctl, of `taskctl completion bash`.
_taskctl() {
    mapfile -t COMPREPLY < <(_TASKCTL_COMPLETE=bash _TASKCTL_LISTS=$((COMP_TYPE == 63)) \
        "$1" "$2" "${COMP_LINE:0:COMP_POINT}" </dev/null 2>/dev/null)
    [[ ${COMPREPLY[0]} == *[=/:,@] ]] && compopt -o nospace
    return 0
}
complete -o nosort -F _taskctl taskctl
