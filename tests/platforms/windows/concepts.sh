#!/bin/sh
# The examples of the reference, and the larger one beside them, do on Windows what they say, too: concepts.sh FOLDER
# LOCAL_API. But for fork.c: Windows has no fork.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
LOCAL_API=$2
OUT=$folder/tests/concepts
mkdir -p "$OUT"
# A program looks for DLLs beside it.
cp "$folder/bin/apivideo.dll" "$(x86_64-w64-mingw32-gcc-posix -print-file-name=libwinpthread-1.dll)" "$OUT"

LIB=$folder/lib
COMPILER=x86_64-w64-mingw32-gcc-posix
# The compiler has put .exe behind the name that it was told.
printf '#!/bin/sh\nprogram=$1.exe\nshift\nexec %s/wine.sh %s/wine "$program" "$@"\n' "$here" "$folder" >"$OUT/run"
chmod +x "$OUT/run"
RUNNER=$OUT/run
LEFT_OUT=fork
export LOCAL_API OUT LIB COMPILER RUNNER LEFT_OUT
"$here/../../support/launch.py" --limit 300 --as windows/concepts python3 -B "$here/../../docs/test_examples.py" Run 2>&1 | awk '
  { print }
  /^Ran / { ran = $2 }
  /^(OK|FAILED)/ { ended = 1; failed = bad("failures") + bad("errors"); skipped = bad("skipped") }
  function bad(what) { return match($0, what "=[0-9]+") ? substr($0, RSTART + length(what) + 1, RLENGTH - length(what) - 1) : 0 }
  END { printf "%d passed, %d failed\n", ran - failed - skipped, failed + !ended; exit failed || !ended }'
