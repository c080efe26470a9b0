#!/bin/sh
# Builds and runs the C# wrapper, its example and its tests with Mono, against an installed library:
# csharp.sh, with PREFIX (where it is installed), LOCAL_API (the stand-in service) and OUT (a
# scratch directory).
set -eu

for command in mcs mono; do
  command -v "$command" >/dev/null 2>&1 || {
    echo "csharp: $command is missing: apt-get install --no-install-recommends mono-mcs mono-runtime" >&2
    exit 1
  }
done

here=$(cd "$(dirname "$0")" && pwd)
work=$OUT/csharp
rm -rf "$work"
cp -R "$here/../../examples/csharp" "$work"
cd "$work"
wrapper="ApiVideo.cs Native.cs"
# shellcheck disable=SC2086 # a list of files
{
  mcs -langversion:latest -warnaserror -debug -out:Example.exe Example.cs $wrapper
  mcs -langversion:latest -warnaserror -debug -main:Tests -out:Tests.exe Tests.cs Example.cs $wrapper
}

# Mono finds the library as any program does.
LD_LIBRARY_PATH=$PREFIX/lib
export LD_LIBRARY_PATH
"$here/../support/launch.py" --as csharp "$here/with_local_api.sh" "$LOCAL_API" sh -euc '
  mono Example.exe >example.log
  grep -q " is valid until " example.log
  mono --debug Tests.exe >tests.log || { cat tests.log; exit 1; }
'
# None at all is a failure.
passed=$(grep -c "^ok" tests.log)
echo "csharp: $passed passed"
