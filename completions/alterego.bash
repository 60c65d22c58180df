# Completes `python -m trainer …`, `python -m bot …` and the installed `alterego …` in bash: commands, options, values.
# Put into ~/.bashrc:  source /path/to/alterego/completions/alterego.bash

_alterego() {
    local -i at=2 # where the program stands: after `python -m`, or first
    if [[ ${1##*/} == alterego ]]; then
        at=0
    else
        [[ ${COMP_WORDS[1]} == -m && ${COMP_WORDS[2]} =~ ^(trainer|bot|alterego)$ ]] || return
    fi
    ((COMP_CWORD > at)) || return
    local IFS=$'\n'
    COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]:at}" COMP_CWORD=$((COMP_CWORD - at)) _ALTEREGO_COMPLETE=complete_bash \
        "${COMP_WORDS[@]:0:at+1}" 2>/dev/null))
}

complete -o bashdefault -o default -F _alterego python python3 alterego
