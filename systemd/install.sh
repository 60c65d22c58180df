#!/bin/sh
# Puts the daemon in place: program in $prefix, settings in /etc/alterego, unit in /etc/systemd/system. Run again after an
# update: settings, credentials and state stay as they are.
# usage: install.sh DESTDIR PREFIX (DESTDIR is for packagers and tests: nothing outside it is touched)
set -eu
dest=$1
prefix=$2
here=$(cd "$(dirname "$0")/.." && pwd)
etc=$dest/etc/alterego

if [ -z "$dest" ]; then
    [ "$(id -u)" = 0 ] || { echo "alterego: 'make install' needs root: run 'sudo make install'" >&2; exit 1; }
    id alterego >/dev/null 2>&1 || useradd --system --home-dir /var/lib/alterego --shell /usr/sbin/nologin alterego
fi

install -d "$dest$prefix"
for part in persona trainer bot requirements.txt README.md; do
    rm -rf "$dest$prefix/$part"
    cp -R "$here/$part" "$dest$prefix/$part"
done
find "$dest$prefix" -name __pycache__ -type d -prune -exec rm -rf {} +

install -d -m 0755 "$etc"
install -d -m 0700 "$etc/credentials"
[ -e "$etc/persona.toml" ] || install -m 0644 "$here/persona.toml" "$etc/persona.toml"

install -d "$dest/etc/systemd/system"
sed "s#@prefix@#$prefix#g" "$here/systemd/alterego.service" > "$dest/etc/systemd/system/alterego.service"
chmod 0644 "$dest/etc/systemd/system/alterego.service"

if [ -z "$dest" ]; then
    # environments hold absolute paths: the service gets one of its own, from the same pins
    [ -x "$prefix/.venv/bin/python" ] || "$here/.venv/bin/python" -m venv "$prefix/.venv"
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
  start        systemctl enable --now alterego
TXT
