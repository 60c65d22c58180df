#!/bin/sh
# Takes the service and the program away. Settings in /etc/alterego and state in /var/lib/alterego stay.
# usage: uninstall.sh DESTDIR PREFIX
set -eu
dest=$1
prefix=$2
unit=$dest/etc/systemd/system/alterego.service

if [ -z "$dest" ] && [ -d /run/systemd/system ] && [ -e "$unit" ]; then
    systemctl disable --now alterego
fi
rm -f "$unit"
rm -rf "$dest$prefix"
if [ -z "$dest" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
echo "alterego is gone; settings in $dest/etc/alterego and state in $dest/var/lib/alterego stay: remove them if you like"
