#!/bin/sh
# Runs a command of alterego as its service does: as the service's user, on its settings and its state.
# usage: alterego [@NAME] COMMAND [ARGUMENT...]; @NAME: of alterego@NAME.service; "alterego bot COMMAND" and "alterego trainer COMMAND" name the program too
set -eu
prefix=@prefix@
user=alterego
etc=/etc/alterego
state=/var/lib/alterego

[ $# -gt 0 ] || {
    echo "usage: alterego COMMAND [ARGUMENT...]; 'alterego --help' lists the commands" >&2
    exit 2
}
case $1 in
    @?*) # one of several personas: "alterego @NAME COMMAND"
        etc=$etc/${1#@}
        state=$state-${1#@}
        shift
        ;;
esac
service=$(id -u "$user" 2>/dev/null) || {
    echo "alterego: there is no user $user: run 'sudo make install' first" >&2
    exit 1
}
case $(id -u) in
    0) drop="setpriv --reuid=$service --regid=$(id -g "$user") --init-groups --inh-caps=-all --no-new-privs --" ;;
    "$service") drop= ;;
    *)
        echo "alterego: settings and state are the service's: run 'sudo alterego $*'" >&2
        exit 2
        ;;
esac

package=alterego
case $1 in
    bot | trainer)
        package=$1
        shift
        ;;
esac
case ${1--} in
    -* | demo) ;;
    *) # --config goes behind the command, and before one that was given
        command=$1
        shift
        set -- "$command" --config "$etc/persona.toml" "$@"
        ;;
esac

# Only root can read the credentials; what it starts gets them in its environment, never as arguments.
for name in discord_token telegram_token store_url engine_api_key hf_token; do
    if [ -r "$etc/credentials/$name" ]; then
        variable=$(echo "$name" | tr '[:lower:]' '[:upper:]')
        value=$(cat "$etc/credentials/$name")
        export "$variable=$value"
    fi
done
export HOME="$state" USER="$user" LOGNAME="$user" STATE_DIRECTORY="$state" HF_HOME="$state/huggingface"
export PYTHONPATH="$prefix" PYTHONDONTWRITEBYTECODE=1
umask 077
# -P: what lies in the folder one happens to be in is no part of the program
exec $drop "$prefix/.venv/bin/python" -P -m "$package" "$@"
