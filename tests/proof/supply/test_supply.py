#!/usr/bin/env python3
"""The dependencies keep to policy.toml, docs/DEPENDENCIES.md names each that Cargo.toml does, and the
bill of materials lists what is in the library; and the checks check. Run by `make proof-supply`, which
sets BUILD, the directory that `make` builds in."""

import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import unittest
from dataclasses import replace
from pathlib import Path

import policy

import crates  # of packaging/, where policy.py has said it is

ROOT = crates.ROOT
KNOWN = crates.read()
LOCK = crates.lock_file()


def run(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


class Kept(unittest.TestCase):
    def test_the_dependencies_keep_to_the_policy(self):
        self.assertEqual(list(policy.complaints(KNOWN, LOCK)), [])

    def test_the_fuzzers_have_their_sources_and_checksums_too(self):
        lock = crates.lock_file("fuzz")
        self.assertTrue("libfuzzer-sys" in {it["name"] for it in lock})
        own = ["apivideo", "apivideo-fuzz"]
        self.assertEqual(list(policy.complaints_of_lock(lock, own)), [])

    def test_what_is_checked_is_what_there_is(self):
        self.assertTrue({"ureq", "rustls", "ring"} <= {name for name, _ in KNOWN.linked})
        self.assertTrue({"cc"} <= {name for name, _ in KNOWN.shipped - KNOWN.linked})
        self.assertTrue({"tokio", "cbindgen"} <= {name for name, _ in KNOWN.development})
        self.assertTrue(len(LOCK) >= len(KNOWN.shipped | KNOWN.development))


class Refused(unittest.TestCase):
    """Each with one thing changed."""

    def assert_refused(self, complaint, known=KNOWN, lock=LOCK, rules=policy.POLICY):
        said = list(policy.complaints(known, lock, rules))
        self.assertTrue(len(said) >= 1 and all(complaint in it for it in said), said)

    def with_crate(self, name, **changes):
        known = copy.copy(KNOWN)
        key = next(key for key in KNOWN.all if key[0] == name and key not in known.development)
        known.all = {**KNOWN.all, key: replace(KNOWN.all[key], **changes)}
        return known

    def with_locked(self, **changes):
        first = next(it for it in LOCK if it["name"] == "ureq")
        return [it for it in LOCK if it is not first] + [{**first, **changes}]

    def test_a_licence_that_is_not_allowed(self):
        for licence in ["GPL-3.0-only", "MIT AND GPL-2.0-only", ""]:
            self.assert_refused("ureq 3", self.with_crate("ureq", licence=licence))

    def test_a_licence_for_tests_alone_in_the_library(self):
        self.assert_refused("not allowed: MPL-2.0", self.with_crate("ureq", licence="MPL-2.0"))

    def test_another_source(self):
        self.assert_refused("not from crates.io", lock=self.with_locked(source="git+https://x.test/y"))
        self.assert_refused("is from a directory", lock=self.with_locked(source=""))

    def test_no_checksum(self):
        self.assert_refused("has no checksum", lock=self.with_locked(checksum=""))

    def test_a_banned_crate_even_for_another_platform(self):
        self.assert_refused("openssl-sys 3.5.2 is banned", lock=self.with_locked(name="openssl-sys"))

    def test_a_crate_for_tests_in_the_library(self):
        known = copy.copy(KNOWN)
        known.shipped = KNOWN.shipped | {key for key in KNOWN.all if key[0] == "tokio"}
        self.assert_refused("must not ship", known)

    def test_two_versions_in_the_library(self):
        known = copy.copy(KNOWN)
        key = next(key for key in KNOWN.linked if key[0] == "base64")
        known.all = {**KNOWN.all, ("base64", "0.1.0"): KNOWN.all[key]}
        known.shipped = KNOWN.shipped | {("base64", "0.1.0")}
        self.assert_refused("base64 ships in more than one version", known)

    def test_an_exception_that_is_not_needed(self):
        rules = {**policy.POLICY, "duplicates": {"base64": "?"}}
        self.assert_refused("take it off policy.toml", rules=rules)
        rules = {**policy.POLICY, "without_text": {**policy.POLICY["without_text"], "serde": "?"}}
        self.assert_refused("take it off policy.toml", rules=rules)

    def test_no_text_of_a_licence(self):
        with tempfile.TemporaryDirectory() as empty:
            known = self.with_crate("ureq", directory=Path(empty))
            self.assert_refused("has no text of its licence", known)


class Expressions(unittest.TestCase):
    def test_are_met_by_one_side_of_or_and_by_both_of_and(self):
        for expression, is_met in {
            "MIT": True,
            "GPL-3.0-only": False,
            "GPL-3.0-only OR MIT": True,
            "MIT OR GPL-3.0-only": True,
            "MIT AND GPL-3.0-only": False,
            "GPL-3.0-only AND MIT": False,
            "GPL-3.0-only OR MIT AND ISC": True,
            "GPL-3.0-only AND MIT OR ISC": True,
            "GPL-3.0-only AND (MIT OR ISC)": False,
            "(GPL-3.0-only OR MIT) AND ISC": True,
            "Apache-2.0 WITH LLVM-exception": True,
            "ISC WITH LLVM-exception": False,
            "Apache-2.0 WITH LLVM-exception AND GPL-3.0-only": False,
        }.items():
            allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]
            self.assertEqual(policy.is_allowed(expression, allowed), is_met, expression)

    def test_that_are_none_are_refused(self):
        for text in ["", "MIT OR", "MIT ISC", "(MIT", "MIT)", "OR", "MIT OR OR ISC", "MIT,ISC"]:
            with self.assertRaises(policy.NotSpdx, msg=text):
                policy.is_allowed(text, ["MIT", "ISC"])


class Documented(unittest.TestCase):
    """docs/DEPENDENCIES.md has a row for each direct dependency: crate, why, what dropping it costs."""

    @staticmethod
    def rows(heading):
        text = (ROOT / "docs/DEPENDENCIES.md").read_text()
        section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
        rows = [[cell.strip() for cell in it.strip("|").split("|")] for it in section.splitlines()
                if it.startswith("| `")]
        return {row[0].strip("`"): row[1:] for row in rows}

    def of_kind(self, *kinds):
        return {name for name, its in KNOWN.direct.items() if its & set(kinds)}

    def test_each_dependency_of_the_library(self):
        self.assertEqual(set(self.rows("In the library")), self.of_kind("normal", "build"))

    def test_each_dependency_of_the_tests(self):
        self.assertEqual(set(self.rows("For the tests alone")), self.of_kind("dev"))

    def test_each_dependency_of_the_fuzzers_that_is_none_of_these(self):
        named = tomllib.loads((ROOT / "fuzz/Cargo.toml").read_text())["dependencies"]
        others = set(named) - set(KNOWN.direct) - {"apivideo"}
        self.assertEqual(set(self.rows("For the fuzzers alone")), others)

    def test_with_why_and_what_it_costs_to_drop(self):
        for heading in ["In the library", "For the tests alone", "For the fuzzers alone"]:
            for name, cells in self.rows(heading).items():
                self.assertTrue(len(cells) == 2 and all(len(it) > 10 for it in cells), name)


class BillOfMaterials(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = Path(os.environ["BUILD"]) / "tests/supply"
        cls.made = [cls.make(cls.directory / name) for name in ("one", "another")]
        bill = cls.directory / f"one/apivideo-{KNOWN.own.version}.cdx.json"
        cls.bill = json.loads(bill.read_text())
        cls.notices = (cls.directory / "one/THIRD-PARTY.txt").read_text()

    @staticmethod
    def make(directory):
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1000000000"}
        command = [sys.executable, "-B", "packaging/sbom.py", str(directory)]
        subprocess.run(command, cwd=ROOT, check=True, env=environment)
        return {it.name: it.read_bytes() for it in directory.iterdir()}

    @staticmethod
    def archived():
        """The crates that libapivideo.a has members of, without those of Rust's own library."""
        build = Path(os.environ["BUILD"])
        ours = {it.stem[3:] for it in (build / "cargo/static/deps").glob("lib*.rlib")}
        members = {it.split(".")[0] for it in run("ar", "t", build / "lib/libapivideo.a").splitlines()}
        return {it.rsplit("-", 1)[0] for it in members & ours}

    def crates(self):
        return [it for it in self.bill["components"] if it["purl"].startswith("pkg:cargo/")]

    def test_the_crates_are_those_in_the_library(self):
        listed = {KNOWN.all[it["name"], it["version"]].library for it in self.crates()}
        self.assertEqual(listed, self.archived())
        self.assertEqual(len(self.crates()), len(listed))

    def test_each_has_the_checksum_of_the_lock_file_and_a_licence(self):
        checksums = {(it["name"], it["version"]): it.get("checksum") for it in LOCK}
        for crate in self.crates():
            key = crate["name"], crate["version"]
            hashes = [{"alg": "SHA-256", "content": checksums[key]}]
            self.assertEqual(crate["hashes"], hashes, key)
            self.assertTrue(crate["licenses"][0]["expression"], key)
            self.assertRegex(crate["purl"], rf"^pkg:cargo/{key[0]}@[0-9A-Za-z.%-]+$")

    def test_it_has_the_form_of_cyclonedx(self):
        bill = self.bill
        self.assertEqual((bill["bomFormat"], bill["specVersion"]), ("CycloneDX", "1.5"))
        self.assertEqual(bill["metadata"]["component"]["version"], KNOWN.own.version)
        self.assertEqual(bill["metadata"]["timestamp"], "2001-09-09T01:46:40Z")
        references = [it["bom-ref"] for it in bill["components"]]
        self.assertEqual(len(references), len(set(references)))
        own = bill["metadata"]["component"]["bom-ref"]
        of = {it["ref"]: it["dependsOn"] for it in bill["dependencies"]}
        reached, waiting = set(), {own}
        while waiting:
            reference = waiting.pop()
            reached.add(reference)
            waiting |= set(of.get(reference, [])) - reached
        self.assertEqual(reached, {own, *references})

    def test_rusts_own_library_is_named(self):
        versions = [it["version"] for it in self.bill["components"] if it["name"] == "rust-std"]
        self.assertEqual(versions, [crates.rustc_says("release")])
        self.assertIn("rust-standard-library.html", self.made[0])

    def test_the_notices_name_every_crate_and_hold_its_licences(self):
        for crate in self.crates():
            what = f"{crate['name']} {crate['version']}"
            self.assertTrue(f"\n  {what}: " in self.notices, what)
            self.assertTrue(re.search(rf"(?m)^(.*, )?{re.escape(what)}(, .*)?:$", self.notices), what)
            for file in KNOWN.all[crate["name"], crate["version"]].licence_texts():
                text = " ".join(file.read_text().split())
                self.assertTrue(text in " ".join(self.notices.split()), file)
        # Those of code that ring has taken in, too.
        for text in ["the fiat-crypto authors", "The Go Authors", "The Chromium Authors"]:
            self.assertTrue(text in self.notices, text)

    def test_the_same_sources_give_the_same_bytes(self):
        self.assertEqual(*self.made)

    def test_no_place_of_this_machine_is_told(self):
        for name, text in self.made[0].items():
            for place in [str(ROOT), os.path.expanduser("~/")]:
                self.assertNotIn(place.encode(), text, name)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    if result.wasSuccessful():
        linked, all_of_them = len(KNOWN.linked), len(KNOWN.shipped | KNOWN.development)
        print(f"proof: crates in the library, all allowed: {linked}")
        print(f"proof: crates in all, licences and sources allowed: {all_of_them}")
    sys.exit(not result.wasSuccessful())
