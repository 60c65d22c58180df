#!/bin/sh
# Puts the daemon in place: program in $prefix, settings in /etc/alterego, units in /etc/systemd/system, the `alterego`
# command in /usr/local/bin. Run again after an update: settings, credentials and state stay as they are.
# usage: install.sh DESTDIR PREFIX (DESTDIR is for packagers and tests: nothing outside it is touched)
set -eu
umask 022
dest=$1
prefix=$2
here=$(cd "$(dirname "$0")/.." && pwd)
etc=$dest/etc/alterego
units=$dest/etc/systemd/system

case $prefix in
    /*/*) ;;
    *) echo "alterego: prefix=$prefix is no folder of its own; say such as prefix=/opt/alterego" >&2; exit 2 ;;
esac
if [ -z "$dest" ]; then
    [ "$(id -u)" = 0 ] || { echo "alterego: 'make install' needs root: run 'sudo make install'" >&2; exit 1; }
    id alterego >/dev/null 2>&1 || useradd --system --user-group --home-dir /var/lib/alterego --shell /usr/sbin/nologin alterego
fi

rendered() {
    sed -e "s#@prefix@#$prefix#g" -e "/^@hardening@\$/{r $here/systemd/hardening.conf" -e "d}" "$here/systemd/$1"
}

install -d "$dest$prefix/systemd" "$units" "$dest/usr/local/bin"
for part in persona engine trainer bot alterego; do
    rm -rf "$dest$prefix/$part"
    cp -R "$here/$part" "$dest$prefix/$part"
    find "$dest$prefix/$part" -name __pycache__ -type d -prune -exec rm -rf {} +
    chmod -R u=rwX,go=rX "$dest$prefix/$part"
done
for file in requirements.txt requirements-postgres.txt requirements-server.txt README.md LICENSE; do
    install -m 0644 "$here/$file" "$dest$prefix/$file"
done
install -m 0755 "$here/systemd/current.sh" "$dest$prefix/systemd/current.sh"
for unit in alterego.service alterego@.service alterego-engine.service alterego-train.service alterego-train.timer; do
    rendered "$unit" > "$units/$unit"
done
rendered alterego.sh > "$dest/usr/local/bin/alterego"
chmod 0755 "$dest/usr/local/bin/alterego"

install -d -m 0755 "$etc"
install -d -m 0700 "$etc/credentials"
settings="$here/persona.toml"  # yours, else the sample's to change
[ -e "$settings" ] || settings="$here/examples/persona.toml"
[ -e "$etc/persona.toml" ] || install -m 0644 "$settings" "$etc/persona.toml"

if [ -z "$dest" ]; then
    install -d -m 0700 -o alterego -g alterego /var/lib/alterego
    # environments hold absolute paths: the service gets one of its own, from the same pins
    [ -x "$prefix/.venv/bin/python" ] || "$here/.venv/bin/python" -m venv "$prefix/.venv"
    setpriv --reuid=alterego --regid=alterego --init-groups "$prefix/.venv/bin/python" -c '' || {
        echo "alterego: the service's user can't run $prefix/.venv/bin/python: remove $prefix/.venv and .venv, and run" \
            "'make install' with PYTHON= a Python that all can read, such as /usr/bin/python3" >&2
        exit 1
    }
    "$prefix/.venv/bin/pip" install -q -r "$prefix/requirements.txt"
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
    fi
fi

cat <<TXT
alterego is in $prefix. What is left to do:
  settings     $etc/persona.toml
  tokens       printf %s TOKEN > $etc/credentials/discord_token   (and telegram_token), chmod 600
  adapter      copy adapters/ into /var/lib/alterego (mode 0700, owner alterego)
  check        alterego doctor
  start        systemctl enable --now alterego        (after an update: systemctl restart alterego)
  every night  systemctl enable --now alterego-train.timer   trains on what the exports hold then
TXT
