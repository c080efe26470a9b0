#!/usr/bin/env python3
"""The dependencies keep to policy.toml, docs/DEPENDENCIES.md names each that Cargo.toml does, and the
bill of materials lists what is in the library; and the checks check. Run by `make proof-supply`, which
sets BUILD, the directory that `make` builds in."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

import policy

import crates  # of packaging/, where policy.py has said it is

ROOT = crates.ROOT
# What is on this platform, of which the library is made here.
KNOWN = crates.read()
# By directory, what is on all platforms, which `make proof-supply` has had cargo fetch.
PROJECTS = {it: crates.read(crates.EVERYWHERE, it) for it in crates.projects()}


# What npm fetches a package for.
NPM = {"examples/node": "koffi", "tests/official_clients/node": "@api.video/nodejs-client"}


def run(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def checked():
    """The crates of others, by name and version, of all projects and platforms."""
    return {key for it in PROJECTS.values() for key in it.shipped | it.development}


class Kept(unittest.TestCase):
    def test_the_dependencies_keep_to_the_policy(self):
        self.assertEqual(list(policy.complaints(KNOWN, PROJECTS)), [])

    def test_what_is_checked_is_all_that_the_lock_files_have(self):
        self.assertEqual(set(PROJECTS), {".", "fuzz", "benches/ureq"})
        for known in PROJECTS.values():
            self.assertEqual({(it["name"], it["version"]) for it in known.lock}, set(known.all))
        ours = {it[0] for known in PROJECTS.values() for it in known.ours}
        self.assertEqual(ours, {"apivideo", "apivideo-fuzz", "ureq_caller"})

    def test_what_npm_fetches_has_licences_and_checksums_too(self):
        for directory, wanted in NPM.items():
            lock = json.loads((ROOT / directory / "package-lock.json").read_text())
            fetched = {name: it for name, it in lock["packages"].items() if name}
            self.assertIn(f"node_modules/{wanted}", fetched)
            for name, package in fetched.items():
                allowed = policy.POLICY["licences"]["shipped"]
                self.assertTrue(policy.is_allowed(package["license"], allowed), name)
                self.assertRegex(package["integrity"], r"^sha512-[A-Za-z0-9+/]{86}==$", name)
                self.assertNotIn("resolved", package, name)

    def test_what_ships_is_told_from_what_does_not(self):
        self.assertTrue({"ureq", "rustls", "ring"} <= {name for name, _ in KNOWN.linked})
        to_build = {name for name, _ in KNOWN.shipped - KNOWN.linked}
        self.assertEqual(to_build, {"cc", "find-msvc-tools", "shlex"})
        self.assertTrue({"tokio", "cbindgen"} <= {name for name, _ in KNOWN.development})
        # For Windows, macOS and others, which have more.
        self.assertTrue({"windows-sys", "security-framework"} <= {name for name, _ in PROJECTS["."].linked})
        self.assertTrue(KNOWN.linked < PROJECTS["."].linked)
        self.assertTrue({"libfuzzer-sys"} <= {name for name, _ in PROJECTS["fuzz"].development})
        self.assertEqual(PROJECTS["fuzz"].linked | PROJECTS["benches/ureq"].linked, set())


class Refused(unittest.TestCase):
    """Each with one thing changed."""

    def assert_refused(self, complaint, here=KNOWN, projects=PROJECTS, rules=policy.POLICY):
        said = list(policy.complaints(here, projects, rules))
        self.assertTrue(len(said) >= 1 and all(complaint in it for it in said), said)

    @staticmethod
    def changed(project, **changes):
        """The projects, with something else of one of them."""
        return {**PROJECTS, project: replace(PROJECTS[project], **changes)}

    def with_crate(self, name, project=".", **changes):
        known = PROJECTS[project]
        key = next(key for key in known.all if key[0] == name)
        return self.changed(project, all={**known.all, key: replace(known.all[key], **changes)})

    def with_locked(self, project=".", **changes):
        lock = PROJECTS[project].lock
        first = next(it for it in lock if it["name"] == "ureq")
        return self.changed(project, lock=[it for it in lock if it is not first] + [{**first, **changes}])

    def test_a_licence_that_is_not_allowed(self):
        for licence in ["GPL-3.0-only", "MIT AND GPL-2.0-only", ""]:
            self.assert_refused("ureq 3", projects=self.with_crate("ureq", licence=licence))

    def test_a_licence_that_is_not_allowed_for_another_platform(self):
        other = self.with_crate("security-framework", licence="GPL-3.0-only")
        self.assert_refused("security-framework 3", projects=other)
        self.assert_refused("r-efi 6", projects=self.with_crate("r-efi", licence="LGPL-2.1-or-later"))

    def test_a_licence_that_is_not_allowed_of_what_the_fuzzers_or_benches_alone_have(self):
        other = self.with_crate("libfuzzer-sys", "fuzz", licence="GPL-3.0-only")
        self.assert_refused("libfuzzer-sys 0", projects=other)
        other = self.with_crate("ureq", "benches/ureq", licence="GPL-3.0-only")
        self.assert_refused("ureq 3", projects=other)

    def test_a_licence_for_tests_alone_in_the_library(self):
        self.assert_refused("not allowed: MPL-2.0", projects=self.with_crate("ureq", licence="MPL-2.0"))
        self.assert_refused("not allowed: NCSA", projects=self.with_crate("security-framework", licence="NCSA"))

    def test_another_source(self):
        for project in PROJECTS:
            other = self.with_locked(project, source="git+https://x.test/y")
            self.assert_refused("not from crates.io", projects=other)
            self.assert_refused("is from a directory", projects=self.with_locked(project, source=""))

    def test_no_checksum(self):
        for project in PROJECTS:
            self.assert_refused("has no checksum", projects=self.with_locked(project, checksum=""))

    def test_a_banned_crate_even_for_another_platform(self):
        for project in PROJECTS:
            other = self.with_locked(project, name="openssl-sys")
            self.assert_refused("openssl-sys 3.5.2 is banned", projects=other)

    def test_a_crate_for_tests_in_the_library(self):
        tokio = {key for key in KNOWN.all if key[0] == "tokio"}
        self.assert_refused("must not ship", replace(KNOWN, shipped=KNOWN.shipped | tokio))
        other = self.changed(".", linked=PROJECTS["."].linked | tokio)
        self.assert_refused("must not ship", projects=other)

    def test_two_versions_in_the_library(self):
        here = replace(KNOWN, shipped=KNOWN.shipped | {("base64", "0.1.0")})
        self.assert_refused("base64 ships in more than one version", here)

    def test_an_exception_that_is_not_needed(self):
        rules = {**policy.POLICY, "duplicates": {"base64": "?"}}
        self.assert_refused("take it off policy.toml", rules=rules)
        rules = {**policy.POLICY, "without_text": {**policy.POLICY["without_text"], "serde": "?"}}
        self.assert_refused("take it off policy.toml", rules=rules)

    def test_no_text_of_a_licence(self):
        with tempfile.TemporaryDirectory() as empty:
            for name, project in {"ureq": ".", "schannel": ".", "libfuzzer-sys": "fuzz"}.items():
                other = self.with_crate(name, project, directory=Path(empty))
                self.assert_refused("has no text of its licence", projects=other)


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
    """docs/DEPENDENCIES.md has a row for each direct dependency: what, why, what dropping it costs."""

    @staticmethod
    def tables():
        """By heading, the rows by what is in their first column."""
        found = {}
        for section in (ROOT / "docs/DEPENDENCIES.md").read_text().split("\n## ")[1:]:
            cells = [[cell.strip() for cell in line.strip("|").split("|")]
                     for line in section.splitlines() if line.startswith("| `")]
            found[section.splitlines()[0]] = {row[0].strip("`"): row[1:] for row in cells}
        return found

    @staticmethod
    def of_kind(*kinds, project="."):
        return {name for name, its in PROJECTS[project].direct.items() if its & set(kinds)}

    def test_each_direct_dependency_is_there_and_nothing_else(self):
        required = (ROOT / "packaging/dist-requirements.txt").read_text().splitlines()
        koffi, client = (json.loads((ROOT / it / "package.json").read_text())["dependencies"] for it in NPM)
        every = ("normal", "build", "dev")
        self.assertEqual({heading: set(rows) for heading, rows in self.tables().items()}, {
            "In the library": self.of_kind("normal", "build"),
            "For the tests alone": self.of_kind("dev"),
            "For the fuzzers alone": self.of_kind(*every, project="fuzz") - {"apivideo"},
            "For the benches alone": self.of_kind(*every, project="benches/ureq"),
            "For the archives alone": {it.split("==")[0] for it in required if not it.startswith("#")},
            "For the example in Node.js alone": set(koffi),
            "For the tests with programs of others alone": {*client, "api.video", "schemathesis"},
        })

    def test_with_why_and_what_it_costs_to_drop(self):
        for rows in self.tables().values():
            for name, cells in rows.items():
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
        checksums = {(it["name"], it["version"]): it.get("checksum") for it in KNOWN.lock}
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
        print(f"proof: crates in the library, all allowed: {len(KNOWN.linked)}")
        print(f"proof: crates in all, licences and sources allowed: {len(checked())}")
    sys.exit(not result.wasSuccessful())
