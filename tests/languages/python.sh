#!/bin/sh
# Runs the Python wrapper's example and its tests, against an installed library: python.sh, with PREFIX
# (where it is installed), LOCAL_API (the stand-in service) and OUT (a scratch directory). PYTHON is another
# Python than the one on the PATH.
set -eu

PYTHON=${PYTHON:-python3}
export PYTHON
"$PYTHON" -c 'import ctypes, sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || {
  echo "python: Python 3.9 or newer is missing: apt-get install --no-install-recommends python3" >&2
  exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
work=$OUT/python
rm -rf "$work"
cp -R "$here/../../examples/python" "$work"
cd "$work"

# The loader looks here too; the wrapper asks for the library by its SONAME.
LD_LIBRARY_PATH=$PREFIX/lib
export LD_LIBRARY_PATH
unset APIVIDEO_LIBRARY
"$here/../support/launch.py" --as python "$here/with_local_api.sh" "$LOCAL_API" sh -euc '
  "$PYTHON" example.py >example.log
  grep -q " is valid until " example.log
  "$PYTHON" -W error -X faulthandler -m unittest -v test_apivideo test_uploads >tests.log 2>&1 || { cat tests.log; exit 1; }
'
passed=$(sed -n "s/^Ran \([0-9]*\) tests in .*/\1/p" tests.log)
if ! grep -qx OK tests.log || [ "${passed:-0}" -eq 0 ]; then # with anything skipped it is not just OK
  cat tests.log
  exit 1
fi
echo "python: $passed passed"
