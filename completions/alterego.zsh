# Completes `python -m trainer …`, `python -m bot …` and the installed `alterego …` in zsh: commands, options, values.
# Put into ~/.zshrc, after compinit:  source /path/to/alterego/completions/alterego.zsh

_alterego() {
    local -i at=3 # where the program stands: after `python -m`, or first
    [[ ${words[1]:t} == alterego ]] && at=1
    if [[ $at == 1 || ( ${words[2]} == -m && ${words[3]} == (trainer|bot|alterego) ) ]] && ((CURRENT > at)); then
        eval "$(_TYPER_COMPLETE_ARGS="${words[at,CURRENT]}" _ALTEREGO_COMPLETE=complete_zsh "${(@Q)words[1,at]}" 2>/dev/null)"
    else
        _default
    fi
}

compdef _alterego python python3 alterego
