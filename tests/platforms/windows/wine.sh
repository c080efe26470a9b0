#!/bin/sh
# Runs a Windows program under Wine, without a screen: wine.sh PREFIX PROGRAM [ARGUMENT…]
set -eu
WINEPREFIX=$(mkdir -p "$1" && cd "$1" && pwd)
shift
export WINEPREFIX WINEDEBUG="${WINEDEBUG:--all}" WINEDLLOVERRIDES="mscoree,mshtml="
# What would ask for one, or for sound.
unset DISPLAY WAYLAND_DISPLAY
exec /usr/lib/wine/wine64 "$@"
