# Completes `python -m trainer …`, `python -m bot …` and the installed `alterego …` in zsh: commands, options, values.
# Put into ~/.zshrc, after compinit:  source /path/to/alterego/completions/alterego.zsh

_alterego() {
    local -i at=3 # where the package stands: after `python -m` or after `alterego`
    [[ ${words[1]:t} == alterego ]] && at=2
    if [[ ( $at == 2 || ${words[2]} == -m ) && ${words[at]} == (trainer|bot) ]] && ((CURRENT > at)); then
        eval "$(_TYPER_COMPLETE_ARGS="${words[at,CURRENT]}" _ALTEREGO_COMPLETE=complete_zsh "${(@Q)words[1,at]}" 2>/dev/null)"
    else
        _default
    fi
}

compdef _alterego python python3 alterego
