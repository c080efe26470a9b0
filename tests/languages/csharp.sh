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
wrapper="ApiVideo.cs Native.cs Uploads.cs"
# shellcheck disable=SC2086 # a list of files
{
  mcs -langversion:latest -warnaserror -debug -out:Example.exe Example.cs $wrapper
  mcs -langversion:latest -warnaserror -debug -main:Tests -out:Tests.exe Tests.cs UploadTests.cs Example.cs $wrapper
}

# What the README shows compiles, given what it takes for granted.
{
  printf 'using System; using System.IO; using System.Threading; using ApiVideo;\n'
  printf 'static class Readme {\nstatic string key = "", token = ""; static ApiVideoClient client = null;\n'
  printf 'static System.Diagnostics.Process recorder = null; static byte[] packet = null; static CancellationToken cancellation = default;\n'
  awk '/^```csharp$/ { print "static void Snippet" ++count "() {"; inside = 1; next }
    /^```$/ && inside { print "}"; inside = 0 }
    inside { print }
    END { print "}" }' README.md
} >Readme.cs
# shellcheck disable=SC2086
mcs -langversion:latest -nowarn:219 -target:library -out:Readme.dll Readme.cs $wrapper

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
