#!/bin/sh
# What apivideo.dll exports and needs: exports.sh FOLDER HEADER. It exports the functions of the header and no
# more, and needs DLLs that every Windows 10 has.
set -eu
dll=$1/bin/apivideo.dll
tables=$(LC_ALL=C x86_64-w64-mingw32-objdump -p "$dll")
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

exported=$(echo "$tables" | sed -n '/^\[Ordinal\/Name Pointer\] Table/,/^$/s/^[[:space:]]*\[ *[0-9]*\].* \([^ ]*\)$/\1/p' | sort)
# A prototype is the only place where a name of ours stands before a parenthesis outside of a comment.
declared=$(sed 's|//.*||' "$2" | awk '/\/\*/ { in_comment = 1 } !in_comment; /\*\// { in_comment = 0 }' |
  grep -o '\bav_[a-z0-9_]*(' | tr -d '(' | sort -u)
check "it exports what the header declares: $(echo "$exported" | wc -w) names, $(echo "$declared" | wc -w)" \
  [ "$exported" = "$declared" ]
check "they are all there to be linked with" \
  [ "$(x86_64-w64-mingw32-nm "$1/lib/libapivideo.dll.a" | sed -n 's/.* T //p' | sort)" = "$exported" ]
check "for MSVC too" \
  [ "$(x86_64-w64-mingw32-nm "$1/lib/apivideo.lib" | sed -n 's/.* T \(av_.*\)/\1/p' | sort)" = "$exported" ]
for needed in $(echo "$tables" | sed -n 's/^.*DLL Name: //p' | tr '[:upper:]' '[:lower:]' | sort -u); do
  case $needed in
    # api-ms-win-core-synch: where waiting for an address is, since Windows 8.
    advapi32.dll | bcrypt.dll | bcryptprimitives.dll | crypt32.dll | kernel32.dll | msvcrt.dll | ntdll.dll | \
      userenv.dll | ws2_32.dll | api-ms-win-core-synch-l1-2-0.dll) passed=$((passed + 1)) ;;
    *) check "it needs $needed" false ;;
  esac
done
checks_report
