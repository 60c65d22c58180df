#!/bin/sh
# Takes the service and the program away. Settings in /etc/alterego and state in /var/lib/alterego stay.
# usage: uninstall.sh DESTDIR PREFIX
set -eu
dest=$1
prefix=$2
units=$dest/etc/systemd/system

if [ -z "$dest" ] && [ -d /run/systemd/system ] && [ -e "$units/alterego.service" ]; then
    systemctl disable --now alterego-train.timer alterego.service
    systemctl stop alterego-train.service
    systemctl disable --now 'alterego@*.service' alterego-engine.service
fi
rm -f "$units/alterego@.service" "$units/alterego-engine.service"
rm -f "$units/alterego.service" "$units/alterego-train.service" "$units/alterego-train.timer"
rm -f "$dest/usr/local/bin/alterego"
if [ -e "$dest$prefix/bot/daemon.py" ]; then # it is ours: nothing but what was installed goes
    for part in persona engine trainer bot alterego systemd .venv README.md LICENSE; do
        rm -rf "$dest$prefix/$part"
    done
    rm -f "$dest$prefix"/requirements*.txt
    rmdir "$dest$prefix" 2>/dev/null || echo "alterego: $dest$prefix holds more than was installed, and stays" >&2
fi
if [ -z "$dest" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
echo "alterego is gone; settings in $dest/etc/alterego and state in $dest/var/lib/alterego stay: remove them if you like"
