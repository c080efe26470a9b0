#!/bin/sh
# Installs what a platform's tests need beyond what `make` needs here: setup.sh COMMAND:PACKAGE… On Debian
# as root by itself, elsewhere it says in one line what is missing. A name that begins with / is a file.
set -eu

is_there() {
  case $1 in
    # Before 8, it ends a program with threads that forks.
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
  echo "missing for the tests:$missing (Debian: sudo apt-get install$missing, qemu-user from backports)" >&2
  exit 1
fi

echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
# Others may be installing, too.
apt="apt-get -qq -o DPkg::Lock::Timeout=600"
$apt update

# The release's backports, from where the release itself is from, for this once.
backports=""
case $missing in *qemu-user*)
  . /etc/os-release
  from=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $VERSION_CODENAME" 'Created-By: Packages' | head -n 1)
  list=$(mktemp)
  trap 'rm -f "$list"' EXIT
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $from $VERSION_CODENAME-backports main" > "$list"
  backports="-o Dir::Etc::SourceList=$list"
  $apt $backports -o APT::Get::List-Cleanup=0 update
  case $(apt-cache policy qemu-user) in *"Candidate: 1:7."*) missing=$(echo "$missing" | sed "s|qemu-user|&/$VERSION_CODENAME-backports|") ;; esac ;;
esac
# shellcheck disable=SC2086 # lists of words
$apt $backports install -y --no-install-recommends $missing >/dev/null
