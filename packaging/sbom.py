#!/usr/bin/env python3
"""Tells what is in a libapivideo that is handed on: apivideo-VERSION.cdx.json, a bill of materials
(CycloneDX 1.5), and THIRD-PARTY.txt, the licences of all that is linked in. The same sources, and
the same SOURCE_DATE_EPOCH, give the same bytes.

    packaging/sbom.py DIRECTORY [--target TARGET] [--unwinder VERSION]

--unwinder: of the ziglang package whose libunwind is inside, as `make dist` links it."""

import argparse
import hashlib
import json
import os
import sys
from datetime import datetime, timezone
from pathlib import Path

import crates

# What the licences of Rust's standard library are in, in every Rust that rustup installs.
STANDARD_LIBRARY = "share/doc/rust/COPYRIGHT-library.html"
STANDARD_LIBRARY_HERE = "rust-standard-library.html"


def component(name, version, purl, licence, **more):
    licences = [{"expression": licence}]
    return {
        **{"type": "library", "bom-ref": purl, "name": name, "version": version},
        **{"licenses": licences, "purl": purl, **more},
    }


def bill_of_materials(known, rust, unwinder=None):
    """CycloneDX, as what json can write."""
    own = known.own
    linked = [known.all[key] for key in sorted(known.linked)]
    beside = [component("rust-std", rust, f"pkg:generic/rust-std@{rust}", "MIT OR Apache-2.0")]
    if unwinder:
        licence = "Apache-2.0 WITH LLVM-exception"
        beside.append(component("libunwind", unwinder, f"pkg:pypi/ziglang@{unwinder}", licence))

    ours = component(own.name, own.version, f"pkg:generic/{own.name}@{own.version}", own.licence)
    theirs = [
        component(
            *(it.name, it.version, it.purl, it.licence),
            hashes=[{"alg": "SHA-256", "content": it.checksum}],
        )
        for it in linked
    ]

    def depends(reference, needs, *more):
        on = [known.all[key].purl for key in sorted(needs)] + [it["bom-ref"] for it in more]
        return {"ref": reference, "dependsOn": on}

    metadata = {"component": ours}
    if "SOURCE_DATE_EPOCH" in os.environ:
        moment = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc)
        metadata = {"timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), **metadata}
    return {
        **{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": metadata},
        "components": theirs + beside,
        "dependencies": [depends(ours["bom-ref"], own.needs, *beside)]
        + [depends(it.purl, it.needs) for it in linked],
    }


def notices(known):
    """Every licence's text once, and by which crates."""
    crates_by_text = {}
    texts = {}
    for key in sorted(known.linked):
        crate = known.all[key]
        for file in crate.licence_texts():
            text = file.read_text(encoding="utf-8").strip("\n")
            # Texts that differ in their blanks alone are one.
            digest = hashlib.sha256(" ".join(text.split()).encode()).digest()
            texts.setdefault(digest, text)
            crates_by_text.setdefault(digest, {})[key] = None
    yield f"libapivideo {known.own.version} has these crates inside, under these licences:\n"
    for key in sorted(known.linked):
        yield f"  {known.all[key].name} {known.all[key].version}: {known.all[key].licence}"
    yield f"\nand Rust's standard library: MIT OR Apache-2.0, see {STANDARD_LIBRARY_HERE}.\n"
    for digest, users in crates_by_text.items():
        yield "=" * 100
        yield ", ".join(f"{name} {version}" for name, version in users) + ":\n"
        yield texts[digest] + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--target")
    parser.add_argument("--unwinder")
    asked = parser.parse_args()

    known = crates.read(asked.target)
    standard_library = Path(crates.run("rustc", "--print", "sysroot").strip()) / STANDARD_LIBRARY
    if not standard_library.is_file():
        sys.exit(f"{STANDARD_LIBRARY} is not there: build with a Rust that rustup has installed")
    bill = bill_of_materials(known, crates.rustc_says("release"), asked.unwinder)
    asked.directory.mkdir(parents=True, exist_ok=True)
    for name, text in {
        f"{known.own.name}-{known.own.version}.cdx.json": json.dumps(bill, indent=1, ensure_ascii=False) + "\n",
        "THIRD-PARTY.txt": "\n".join(notices(known)),
        STANDARD_LIBRARY_HERE: standard_library.read_text(encoding="utf-8"),
    }.items():
        path = asked.directory / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)


if __name__ == "__main__":
    main()
