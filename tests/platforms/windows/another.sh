#!/bin/sh
# Makes another Windows of one that is there, with the same files on its drive: another.sh PREFIX ANOTHER. What it
# does it does by a server of its own, so that it may be in another network.
set -eu
rm -rf "$2"
mkdir -p "$2"
cp -a "$1"/*.reg "$1/.update-timestamp" "$1/dosdevices" "$2"
ln -s "$1/drive_c" "$2/drive_c"
