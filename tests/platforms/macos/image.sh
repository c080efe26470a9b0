#!/bin/sh
# What a library for macOS is, exports and needs: image.sh LIBRARY HEADER NAME. It exports the functions of the
# header and no more, goes by the name, and needs what every macOS since 11 has. PROFILE is which of cargo's it is.
set -eu
: "${PROFILE:?of cargo}"
library=$1
name=$3
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

commands=$(llvm-objdump --macho --private-headers "$library")
# of COMMAND FIELD: what stands in the field of each such load command.
of() {
  echo "$commands" | awk -v command="$1" -v field="$2" '
    $1 == "cmd" { found = $2 == command }
    found && $1 == field { print $2 }'
}

exported=$(llvm-objdump --macho --exports-trie "$library" | awk '/^0x/ { print $2 }' | sort)
# A prototype is the only place where a name of ours stands before a parenthesis outside of a comment.
declared=$(sed 's|//.*||' "$2" | awk '/\/\*/ { in_comment = 1 } !in_comment; /\*\// { in_comment = 0 }' |
  grep -o '\bav_[a-z0-9_]*(' | sed 's/^/_/; s/($//' | sort -u)
check "it exports what the header declares" [ "$(echo "$exported" | grep -xF "$declared")" = "$declared" ]
# zig's linker takes no list of what to export, as Apple's does: only where the whole program was optimised at once is
# the rest gone. Two names it puts there itself, which lead to the beginning of any library.
if [ "$PROFILE" = release ]; then
  stray=$(echo "$exported" | grep -vxF "$declared" | grep -vxE '__mh_dylib_header|___dso_handle' || true)
  check "and no more: $(echo "$stray" | head -n 3 | xargs)" [ -z "$stray" ]
fi
check "it goes by the name $(of LC_ID_DYLIB name)" [ "$(of LC_ID_DYLIB name)" = "$name" ]
check "it is for macOS since $(of LC_BUILD_VERSION minos)" [ "$(of LC_BUILD_VERSION minos)" = 11.0 ]
check "it looks for nothing on paths of its own" [ -z "$(of LC_RPATH path)" ]
for needed in $(of LC_LOAD_DYLIB name); do
  case $needed in
    /usr/lib/libSystem.B.dylib | /usr/lib/libiconv.2.dylib | /usr/lib/libcharset.1.dylib) passed=$((passed + 1)) ;;
    /System/Library/Frameworks/Security.framework/* | /System/Library/Frameworks/CoreFoundation.framework/*) passed=$((passed + 1)) ;;
    *) check "it needs $needed" false ;;
  esac
done
checks_report
