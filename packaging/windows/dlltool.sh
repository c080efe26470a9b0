#!/bin/sh
# In the place of MinGW's dlltool, by which Rust's compiler makes an import library of each DLL that a crate names. What
# is called after the temporary folder that this is done in, and that would be in the library, is called after what
# is imported.
set -eu
before=
for argument in "$@"; do
  [ "$before" != -d ] || definition=$argument
  before=$argument
done
before=
for argument in "$@"; do
  shift
  [ "$before" != --temp-prefix ] || argument=imports_$(cksum <"$definition" | tr ' ' _)
  set -- "$@" "$argument"
  before=$argument
done
cd "$(dirname "$definition")"
exec /usr/bin/x86_64-w64-mingw32-dlltool "$@"
