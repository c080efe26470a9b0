# What the tests of archives for other platforms share, after support.sh; each sources it, with:
#   PLATFORM    which of packaging/dist.mk's
#   ARCHIVE     what `make dist` has packed for it, and AGAIN, the same of the same sources elsewhere
#   DIST_TOOLS  where zig is
# shellcheck shell=sh disable=SC2154
: "${PLATFORM:?which}" "${ARCHIVE:?what is packed}" "${AGAIN:?the same again}" "${DIST_TOOLS:?where zig is}"

name=$(basename "$ARCHIVE" | sed 's/\.tar\.gz$\|\.zip$//')
moved=$OUT/unpacked/$name
libdir=$moved/lib
documents=$moved/share/doc/apivideo
mkdir "$OUT/unpacked"

# check_packed FILE…: what every archive has beside the libraries.
check_packed() {
  check "the same sources make the same bytes, wherever they are" cmp "$ARCHIVE" "$AGAIN"
  check "all is in one directory" same "$(ls "$OUT/unpacked")" "$name"
  # shellcheck disable=SC2046 # words
  check "it has these files" same "$(cd "$moved" && find . ! -type d ! -path './share/man/man3/*.3' | sort)" \
    "$(printf './%s\n' "$@" include/apivideo.h include/apivideo.hpp lib/cmake/apivideo/apivideo-config.cmake \
      lib/cmake/apivideo/apivideo-config-version.cmake lib/pkgconfig/apivideo.pc lib/libapivideo.a \
      $(printf "share/doc/apivideo/%s " ABI.md CERTIFICATES.md CHANGELOG.md LICENSE README.md THIRD-PARTY.txt \
        rust-standard-library.txt "apivideo-$version.cdx.json") | sort)"
  check "no file names a place of this machine" not grep -rlF -e "$ROOT" -e "$HOME/" "$moved"
}

# tells NAME: it is a component of the bill of materials.
tells() { grep -q "\"name\": \"$1\"" "$documents/apivideo-$version.cdx.json"; }

# check_contents NAME…: these components are told, and Rust's own library in the version that has built it.
check_contents() {
  for it in rust-std "$@"; do
    check "that it has $it inside is told" tells "$it"
  done
  rust_version=$(/usr/bin/rustc --version | cut -d ' ' -f 2)
  check "the version of Rust's own library is told" \
    grep -q "pkg:generic/rust-std@$rust_version\"" "$documents/apivideo-$version.cdx.json"
}
