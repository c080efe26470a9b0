#!/bin/sh
# Installs what a platform's tests need beyond what `make` needs here: setup.sh COMMAND:PACKAGE… On Debian
# as root by itself, elsewhere it says in one line what is missing. A name that begins with / is a file.
set -eu

is_there() {
  case $1 in
    # Before 8, it aborts a program with threads that forks.
    qemu-*) "$1" --version 2>/dev/null | grep -Eq 'version ([89]|[1-9][0-9])\.' ;;
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

missing=""
for pair in "$@"; do
  is_there "${pair%%:*}" || missing="$missing ${pair##*:}"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
  echo "missing for the tests:$missing (Debian: sudo apt-get install$missing; qemu from 8 on)" >&2
  exit 1
fi

echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
# Others may be installing, too.
apt="apt-get -qq -o DPkg::Lock::Timeout=600"
$apt update

# Debian 12 has such a qemu in its backports alone: these are known for this once, from where the release is.
if echo "$missing" | grep -q qemu-user && apt-cache policy qemu-user | grep -q 'Candidate: 1:7\.'; then
  list=$(mktemp)
  trap 'rm -f "$list"' EXIT
  # shellcheck disable=SC2016 # apt's variable
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Created-By: Packages' | head -n 1)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm-backports main" > "$list"
  apt="$apt -o Dir::Etc::SourceList=$list"
  $apt update -o APT::Get::List-Cleanup=0
  missing=$(echo "$missing" | sed 's|qemu-user|&/bookworm-backports|')
fi
# shellcheck disable=SC2086 # a list of words
$apt install -y --no-install-recommends $missing >/dev/null
