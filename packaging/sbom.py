#!/usr/bin/env python3
"""Tells what is in a libapivideo that is handed on: apivideo-VERSION.cdx.json, a bill of materials
(CycloneDX 1.5), and THIRD-PARTY.txt, the licences of all that is linked in. The same sources, and
the same SOURCE_DATE_EPOCH, give the same bytes.

    packaging/sbom.py DIRECTORY [--target TARGET] [--unwinder VERSION | --mingw]

--unwinder: of the ziglang package whose libunwind is inside, as `make dist` links it.
--mingw: what MinGW puts into a DLL is inside."""

import argparse
import hashlib
import json
import os
from datetime import datetime, timezone
from pathlib import Path

import beside
import crates


def component(name, version, purl, licence, **more):
    licences = [{"expression": licence}]
    return {
        **{"type": "library", "bom-ref": purl, "name": name, "version": version},
        **{"licenses": licences, "purl": purl, **more},
    }


def bill_of_materials(known, others):
    """CycloneDX, as what json can write."""
    own = known.own
    linked = [known.all[key] for key in sorted(known.linked)]
    others = [component(it.name, it.version, it.purl, it.licence) for it in others]

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
        "components": theirs + others,
        "dependencies": [depends(ours["bom-ref"], own.needs, *others)]
        + [depends(it.purl, it.needs) for it in linked],
    }


def notices(known, others):
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
    yield "\nand beside them:\n"
    for it in others:
        yield f"  {it.name} {it.version}: {it.licence}" + (f", see {it.text_here}" if it.text else "")
    yield ""
    for digest, users in crates_by_text.items():
        yield "=" * 100
        yield ", ".join(f"{name} {version}" for name, version in users) + ":\n"
        yield texts[digest] + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--target")
    parser.add_argument("--unwinder")
    parser.add_argument("--mingw", action="store_true")
    asked = parser.parse_args()

    known = crates.read(asked.target)
    others = [beside.standard_library()]
    others += [beside.libunwind(asked.unwinder)] if asked.unwinder else []
    others += beside.mingw() if asked.mingw else []
    bill = bill_of_materials(known, others)
    asked.directory.mkdir(parents=True, exist_ok=True)
    for name, text in {
        f"{known.own.name}-{known.own.version}.cdx.json": json.dumps(bill, indent=1, ensure_ascii=False) + "\n",
        "THIRD-PARTY.txt": "\n".join(notices(known, others)),
        **{it.text_here: it.text.read_text(encoding="utf-8") for it in others if it.text},
    }.items():
        path = asked.directory / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)


if __name__ == "__main__":
    main()
