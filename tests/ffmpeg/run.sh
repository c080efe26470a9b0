#!/bin/sh
# Beside FFmpeg: a program in C and one in C++, with both orders of the headers and both of the
# libraries, ours shared and static, use FFmpeg and us, also under valgrind; and the loader tells
# that no name of either is bound to the other.
# Set PREFIX (where libapivideo is installed), LOCAL_API (the stand-in service) and OUT (a scratch
# directory). VALGRIND= runs without valgrind.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
packages="libavformat-dev libavcodec-dev libavutil-dev"
memcheck=${VALGRIND-valgrind --quiet --error-exitcode=99 --leak-check=full \
--errors-for-leak-kinds=definite,indirect,possible}

fail() {
  echo "ffmpeg: $*" >&2
  exit 1
}
needs() { # COMMAND PACKAGE
  command -v "$1" >/dev/null 2>&1 || fail "$1 is missing: apt-get install --no-install-recommends $2"
}
needs cc gcc
needs c++ g++
needs nm binutils
needs pkg-config pkg-config
needs python3 python3
[ -z "$memcheck" ] || needs "${memcheck%% *}" valgrind
pkg-config --exists libavformat libavcodec libavutil ||
  fail "FFmpeg's libraries are missing: apt-get install --no-install-recommends $packages"

PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig
export PKG_CONFIG_PATH
out=$OUT/ffmpeg
rm -rf "$out"
mkdir -p "$out"
cd "$out"

warnings="-Wall -Wextra -Wpedantic -Werror"
flags="-g -I$here -I$here/../c $(pkg-config --cflags apivideo libavformat libavcodec libavutil)"
theirs=$(pkg-config --libs libavformat libavcodec libavutil)
ours_shared="$(pkg-config --libs apivideo) -Wl,-rpath,$PREFIX/lib"
ours_static=$(pkg-config --static --libs apivideo | sed 's/-lapivideo/-l:libapivideo.a/')
soname=$(readelf -d "$PREFIX/lib/libapivideo.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')

compile() { # LANGUAGE ARGUMENT…
  case $1 in
    c) shift && cc -std=c11 "$@" ;;
    *) shift && c++ -std=c++17 "$@" ;;
  esac
}

# What the loader binds for a program: judge PROGRAM OBJECT OURS.
judge() {
  nm -u "$2" | awk '{ print $2 }' >"$1.wanted"
  nm --defined-only "$1" | awk '$2 ~ /^[TDRB]$/ && $3 !~ /@/ { print $3 }' >"$1.strong"
  rm -f "$1".bindings.*
  LD_BIND_NOW=1 LD_DEBUG=bindings LD_DEBUG_OUTPUT=$out/$1.bindings "./$1" >"$1.output" 2>&1 || {
    cat "$1.output"
    return 2
  }
  awk -f "$here/bindings.awk" -v program="$1" -v ours="$3" "$1.wanted" "$1.strong" "$1".bindings.*
}

# Everything, inside of with_local_api.sh.
go_through() {
  for language in c cxx; do
    case $language in c) source=$here/beside.c ;; *) source=$here/beside.cpp ;; esac
    for headers in OURS_FIRST THEIRS_FIRST; do
      object=$language-$headers.o
      # shellcheck disable=SC2086 # lists of words
      compile $language $warnings -D$headers $flags -c -o "$object" "$source"
      for way in shared static; do
        case $way in shared) library=$ours_shared ;; *) library=$ours_static ;; esac
        for order in ours-theirs theirs-ours; do
          case $order in
            ours-theirs) libraries="$library $theirs" ;;
            *) libraries="$theirs $library" ;;
          esac
          program=$language-$headers-$way-$order
          # shellcheck disable=SC2086
          compile $language -o "$program" "$object" $libraries
          case $way in shared) ours=$soname ;; *) ours=$program ;; esac
          told=$(judge "$program" "$object" "$ours") || fail "$program: $told"
          # The order of the headers leaves no trace in a program.
          if [ $headers = OURS_FIRST ] && [ -n "$memcheck" ]; then
            $memcheck "./$program" >"$program.valgrind" 2>&1 || {
              cat "$program.valgrind"
              fail "$program: under valgrind"
            }
            told="$told, valgrind"
          fi
          printf '%-32s %s, %s\n' "$program" "$(tail -n 1 "$program.output")" "$told"
        done
      done
    done
  done

  # What they say they have uploaded is what the service has.
  python3 "$here/ledger.py" "$APIVIDEO_BASE_URL" ./*.output || fail "the service has something else"

  # The same with every name of the program exported, as for a program that loads plugins.
  # shellcheck disable=SC2086
  cc -rdynamic -o exports c-OURS_FIRST.o $ours_static $theirs
  told=$(judge exports c-OURS_FIRST.o exports) || fail "exports: $told"

  # The judge sees it if it happens: a library or program that takes a name of FFmpeg, or uses one.
  refuses() { # SENTENCE JUDGE'S ARGUMENTS…
    sentence=$1
    shift
    if told=$(judge "$@"); then fail "$1 is not refused"; fi
    case $told in *"$sentence"*) ;; *) fail "$1 is refused otherwise: $told" ;; esac
  }
  cc -shared -fPIC -DTAKES -o libtakes.so "$here/thief.c"
  cc -shared -fPIC -o libuses.so "$here/thief.c"
  cc -DTAKES -c -o takes.o "$here/thief.c"
  # shellcheck disable=SC2086
  {
    cc -o with_takes c-OURS_FIRST.o ./libtakes.so $ours_shared $theirs -Wl,-rpath,"$out"
    cc -o with_uses c-OURS_FIRST.o -Wl,--no-as-needed ./libuses.so $ours_shared $theirs -Wl,-rpath,"$out"
    cc -o takes c-OURS_FIRST.o takes.o $ours_static $theirs
  }
  refuses "a library's name is taken over by us: libavformat" with_takes c-OURS_FIRST.o libtakes.so
  refuses "a name of ours is FFmpeg's: libuses.so" with_uses c-OURS_FIRST.o libuses.so
  refuses "a library's name is taken over by us: libavformat" takes c-OURS_FIRST.o takes
  echo "ffmpeg: 17 programs passed, 3 bad ones refused"
}

if [ "${1-}" = --with-service ]; then
  go_through
else
  exec "$here/../support/launch.py" --as ffmpeg "$here/../languages/with_local_api.sh" "$LOCAL_API" sh "$here/run.sh" --with-service
fi
