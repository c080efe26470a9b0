"""What is in a library beside crates: Rust's standard library, and what a linker brings along. Used by
packaging/sbom.py."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import crates

# Where the licences of Rust's standard library are, below the sysroot: of every Rust that rustup installs, and of
# Debian's, which has those of the compiler with them.
STANDARD_LIBRARY = ["share/doc/rust/COPYRIGHT-library.html", "share/doc/libstd-rust-web-dev/copyright"]
MINGW = "x86_64-w64-mingw32-gcc-posix"
MINGW_LICENCES = Path("/usr/share/doc/mingw-w64-x86-64-dev/copyright")


@dataclass
class Beside:
    name: str
    version: str
    purl: str
    licence: str  # an SPDX expression
    text: Path = None  # the licence itself, if it asks to be handed on
    text_here: str = ""  # what that is called beside the library


def standard_library():
    version = crates.rustc_says("release")
    sysroot = Path(crates.run(crates.RUSTC, "--print", "sysroot").strip())
    text = next((sysroot / it for it in STANDARD_LIBRARY if (sysroot / it).is_file()), None)
    if not text:
        sys.exit(f"{sysroot} has none of {', '.join(STANDARD_LIBRARY)}: build with a Rust of rustup or of Debian")
    here = f"rust-standard-library{text.suffix or '.txt'}"
    return Beside("rust-std", version, f"pkg:generic/rust-std@{version}", "MIT OR Apache-2.0", text, here)


def libunwind(version):
    """Of the ziglang package that has linked it."""
    return Beside("libunwind", version, f"pkg:pypi/ziglang@{version}", "Apache-2.0 WITH LLVM-exception")


def mingw():
    """What its compiler puts into each DLL: GCC's unwinder; MinGW-w64's beginning, and the threads that the
    unwinder knows."""
    lines = crates.run(MINGW, "-dM", "-E", "-include", "_mingw.h", "-x", "c", os.devnull).splitlines()
    macros = dict((it.split(" ", 2) + [""])[1:3] for it in lines)
    gcc = ".".join(macros[it] for it in ["__GNUC__", "__GNUC_MINOR__", "__GNUC_PATCHLEVEL__"])
    runtime = ".".join(macros[f"__MINGW64_VERSION_{it}"] for it in ["MAJOR", "MINOR", "BUGFIX"])
    licence = "ZPL-2.1 AND MIT AND BSD-3-Clause"
    return [
        Beside("libgcc", gcc, f"pkg:generic/gcc@{gcc}", "GPL-3.0-or-later WITH GCC-exception-3.1"),
        Beside("mingw-w64", runtime, f"pkg:generic/mingw-w64@{runtime}", licence, MINGW_LICENCES, "mingw-w64.txt"),
    ]
