"""The crates that this project is made of, as cargo resolves them offline: which of them ship, which
serve the tests alone, and what each says of its licence. Used by packaging/sbom.py and by the tests
of tests/proof/supply."""

import json
import os
import re
import subprocess
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# In a target's place: all platforms. Cargo.lock has what any may need; what ships is for one of ours.
EVERYWHERE = "all"
PLATFORMS = [
    *(f"{it}-unknown-linux-gnu" for it in ("x86_64", "aarch64", "i686", "riscv64gc", "s390x")),
    *(f"{it}-unknown-linux-musl" for it in ("x86_64", "aarch64")),
    "armv7-unknown-linux-gnueabihf",
    "aarch64-linux-android",
    "x86_64-pc-windows-gnu",
    *(f"{it}-apple-darwin" for it in ("x86_64", "aarch64")),
    "aarch64-apple-ios",
]
# As cargo takes it.
RUSTC = os.environ.get("RUSTC", "rustc")
# What a licence's text is called, wherever in a crate it is.
LICENCE_FILE = re.compile(r"(un)?licen[cs]e|copying|copyright|notice|patents", re.IGNORECASE)


@dataclass
class Crate:
    name: str
    version: str
    library: str  # as rustc calls it
    licence: str  # an SPDX expression, "" if it tells none
    source: str  # "" for ours
    checksum: str  # "" for ours
    directory: Path
    needs: set  # names and versions of what is linked with it: neither build scripts' nor macros

    @property
    def key(self):
        return self.name, self.version

    @property
    def purl(self):
        return f"pkg:cargo/{self.name}@{self.version.replace('+', '%2B')}"

    def licence_texts(self):
        return licence_texts(self.directory)


@dataclass
class Crates:
    own: Crate
    all: dict  # by name and version
    linked: set  # what is in the library
    shipped: set  # the same, and what it takes to build it
    development: set  # what only tests and tools need
    direct: dict  # of Cargo.toml: kinds by name
    lock: list  # what Cargo.lock has, for all platforms

    @property
    def ours(self):
        return set(self.all) - self.shipped - self.development


@cache
def licence_texts(directory):
    """The files with licences, those of code that a crate has taken in included."""
    files = (it for it in directory.rglob("*") if LICENCE_FILE.match(it.name))
    return sorted(it for it in files if it.is_file() and it.suffix not in (".rs", ".py", ".html"))


def run(*command, directory="."):
    return subprocess.run(command, cwd=ROOT / directory, check=True, capture_output=True, text=True).stdout


def rustc_says(key):
    """A line of `rustc -vV`, such as host or release."""
    said = run(RUSTC, "-vV").splitlines()
    return next(it.split(": ", 1)[1] for it in said if it.startswith(f"{key}: "))


def projects():
    """The directories that have a Cargo.lock, but for what was built. Nothing of others than "." ships."""
    for directory, below, files in os.walk(ROOT):
        below[:] = sorted(it for it in below if it not in ("build", "target") and not it.startswith("."))
        if "Cargo.lock" in files:
            yield str(Path(directory).relative_to(ROOT))


def read(target=None, directory="."):
    """What there is for a target, which is this machine unless told: to build, cargo fetches no more.
    EVERYWHERE takes what `cargo fetch` has fetched."""
    target = target or rustc_says("host")
    command = ["cargo", "metadata", "--locked", "--offline", "--format-version=1"]
    command += [] if target == EVERYWHERE else ["--filter-platform", target]
    told = json.loads(run(*command, directory=directory))
    lock = tomllib.loads((ROOT / directory / "Cargo.lock").read_text())["package"]
    checksums = {(it["name"], it["version"]): it.get("checksum", "") for it in lock}
    packages = {it["id"]: it for it in told["packages"]}
    nodes = {it["id"]: it for it in told["resolve"]["nodes"]}
    keys = {id: (it["name"], it["version"]) for id, it in packages.items()}

    def dependencies(id):
        needed = nodes[id]["deps"]
        return {keys[it["pkg"]] for it in needed if any(not how["kind"] for how in it["dep_kinds"])}

    crates = {}
    for id, package in packages.items():
        libraries = [it for it in package["targets"] if {"lib", "rlib", "proc-macro"} & set(it["kind"])]
        crates[keys[id]] = Crate(
            name=package["name"],
            version=package["version"],
            library=(libraries[0] if libraries else package)["name"].replace("-", "_"),
            # The slash is how licences were told before SPDX expressions.
            licence=(package["license"] or "").replace("/", " OR "),
            source=package["source"] or "",
            checksum=checksums.get(keys[id], ""),
            directory=Path(package["manifest_path"]).parent,
            needs=dependencies(id),
        )

    def tree(edges):
        # Other than the metadata, without what only the tests ask of crates that both use.
        words = ["cargo", "tree", "--locked", "--offline", "--prefix=none", f"--edges={edges}"]
        words += [f"--target={it}" for it in (PLATFORMS if target == EVERYWHERE else [target])]
        lines = (it.split() for it in run(*words).splitlines() if it)
        return {(it[0], it[1].removeprefix("v")) for it in lines} - {(own.name, own.version)}

    own = crates[keys[told["resolve"]["root"]]]
    shipped, linked = set(), set()
    if directory == ".":
        shipped, linked = tree("normal,build"), tree("normal,no-proc-macro")
    for crate in crates.values():
        crate.needs &= linked
    direct = {}
    for dependency in packages[told["resolve"]["root"]]["dependencies"]:
        direct.setdefault(dependency["name"], set()).add(dependency["kind"] or "normal")
    ours = {key for key, crate in crates.items() if crate.directory.is_relative_to(ROOT) and not crate.source}
    return Crates(own, crates, linked, shipped, set(crates) - shipped - ours, direct, lock)
