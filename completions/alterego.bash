# Completes `python -m trainer …`, `python -m bot …` and the installed `alterego …` in bash: commands, options, values.
# Put into ~/.bashrc:  source /path/to/alterego/completions/alterego.bash

_alterego() {
    local -i at=2 # where the package stands: after `python -m` or after `alterego`
    [[ ${1##*/} == alterego ]] && at=1
    [[ $at == 1 || ${COMP_WORDS[1]} == -m ]] || return
    [[ ${COMP_WORDS[at]} =~ ^(trainer|bot)$ && $COMP_CWORD -gt $at ]] || return
    local IFS=$'\n'
    COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]:at}" COMP_CWORD=$((COMP_CWORD - at)) _ALTEREGO_COMPLETE=complete_bash \
        "${COMP_WORDS[@]:0:at+1}" 2>/dev/null))
}

complete -o bashdefault -o default -F _alterego python python3 alterego
