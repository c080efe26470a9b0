#!/bin/sh
# Prepares Swift once, for swift.sh: where no `swift` is at hand, a Debian 13 with Debian's swiftlang
# in a directory of its own, build/swift or $SWIFT_CHROOT (3 GB, some minutes, as root on Debian).
set -eu

chroot=${SWIFT_CHROOT:-$(cd "$(dirname "$0")/../.." && pwd)/build/swift}

fail() {
  echo "$0: $1" >&2
  exit 1
}

if command -v swift >/dev/null 2>&1 || [ -d "$chroot" ]; then
  exit 0
fi

by_hand="install Swift 6 (https://www.swift.org/install) and put it on the path"
command -v apt-get >/dev/null 2>&1 || fail "this is no Debian: $by_hand"
[ "$(id -u)" -eq 0 ] || fail "it takes root: run it as root, or $by_hand"

# debootstrap is not on every user's path.
PATH=$PATH:/usr/sbin:/sbin
export DEBIAN_FRONTEND=noninteractive
if ! command -v debootstrap >/dev/null 2>&1; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
fi

# The mirror that this machine uses itself.
# shellcheck disable=SC2016 # apt expands
mirror=$(apt-get indextargets --format '$(REPO_URI)' \
  'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
[ -n "$mirror" ] || fail "apt knows no Debian mirror: run apt-get update, or $by_hand"

# Only a finished one gets the name.
unfinished=$chroot.unfinished
trap 'rm -rf "$unfinished"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
rm -rf "$unfinished"
mkdir -p "$unfinished"

# What is mounted in a mount namespace is gone when its last process ends, whatever happens.
echo "preparing Swift in $chroot"
# shellcheck disable=SC2016 # the inner shell expands
unshare --mount sh -euc '
  debootstrap --variant=minbase --include=ca-certificates trixie "$1" "$2"
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  chroot "$1" apt-get update -qq
  chroot "$1" apt-get install -y -qq --no-install-recommends \
    swiftlang libc6-dev libstdc++-14-dev pkgconf git
  chroot "$1" apt-get clean
' sh "$unfinished" "$mirror" >"$chroot.log" 2>&1 || fail "it failed: see $chroot.log"
mv "$unfinished" "$chroot"
rm "$chroot.log"
