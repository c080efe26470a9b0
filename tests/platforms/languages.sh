#!/bin/sh
# Runs the tests of the wrappers on another processor, under qemu: languages.sh. That is what linux.sh ends with
# where LANGUAGES names some, once it has built the library. It sets GNU, what GNU calls the platform; DEBIAN, what
# Debian calls its processor; QEMU; FLAGS, what tests are compiled with; LIB, LOCAL_API, MAKE; and PLATFORM and
# BUILT_IN for the last line, the figures. Python and Node.js are Debian's for that processor, in a folder.
set -eu
: "${LANGUAGES:?cpp, python or node}" "${GNU:?what GNU calls it}" "${DEBIAN:?what Debian calls it}" "${QEMU:?its name}" \
  "${FLAGS?of tests}" "${LIB:?the library}" "${LOCAL_API:?the stand-in}" "${PLATFORM:?}" "${BUILT_IN:?}" "${MAKE:=make}"
export LOCAL_API

here=$PWD/tests/platforms
"$here/setup.sh" "$GNU-g++:g++-$GNU" node:nodejs npm:npm python3:python3
PREFIX=${LIB%/lib}
OUT=$PREFIX/languages
system=$PREFIX/system
export PREFIX OUT
"$here/debian.sh" "$DEBIAN" "$system" python3 nodejs libstdc++6
mkdir -p "$OUT/bin"
rm -f "$OUT"/*.log

# By this name a program of that processor can start itself, too, which this kernel cannot.
for program in python3 node; do
  printf '#!/bin/sh\nexec %s -L %s -0 "$0" %s/usr/bin/%s "$@"\n' "$QEMU" "$system" "$system" "$program" >"$OUT/bin/$program"
  chmod +x "$OUT/bin/$program"
done

run_language() {
  case $1 in
    cpp)
      # Without what is about compilers; those of C++20 alone have stop tokens.
      tests=$(for file in tests/cpp/*.cpp; do basename "$file" .cpp; done | xargs)
      "$MAKE" --no-print-directory --keep-going -C tests/cpp ONLY="$tests units" VARIANTS="cxx17-shared cxx20-shared" \
        LIB="$LIB" OUT="$OUT/cpp" CXX="$GNU-g++ $FLAGS" AR="$GNU-ar" LD="$GNU-ld" VALGRIND="$QEMU -L $system" ;;
    python) PYTHON=$OUT/bin/python3 tests/languages/python.sh ;;
    node)
      # koffi as it was built for there.
      EMULATED=1 npm_config_cpu=$DEBIAN npm_config_os=linux NODE=$OUT/bin/node tests/languages/node.sh ;;
  esac
}

begin=$(date +%s)
ended=0
figures=
for language in $LANGUAGES; do
  echo "$language"
  if run_language "$language" >"$OUT/$language.log" 2>&1; then
    figures="$figures $language $(tail -n 1 "$OUT/$language.log" | grep -o '[0-9]* passed' | cut -d ' ' -f 1) passed,"
  else
    cat "$OUT/$language.log"
    figures="$figures $language failed,"
    ended=1
  fi
done
echo "platform $PLATFORM, wrappers:$figures $(grep -c '^[^#]' "$here/left_out_of_languages") left out;" \
  "libapivideo.so of $(wc -c <"$LIB/libapivideo.so") bytes built in $BUILT_IN s, tests run in $(($(date +%s) - begin)) s"
exit "$ended"
