#!/usr/bin/env python3
"""The ABI is kept, and the check of it checks: each way to break it is refused, each way to add to
it accepted. Run by `make test-abi`, which sets LIB, the directory of libapivideo.so, OUT, where to
build, and LOCAL_API, the stand-in service."""

import os
import re
import unittest
from pathlib import Path

import abi

HERE = Path(__file__).parent
HEADER = HERE.parent.parent / "include/apivideo.h"
LAYOUT = HERE.parent / "c/layout.c"
LIB, OUT = Path(os.environ["LIB"]), Path(os.environ["OUT"])
LIBRARY = LIB / "libapivideo.so"
OLDEST = abi.records_for(HEADER)[0]


# What the changes below are made to: it stays as it is, so that they can be made.
UNCHANGED = OLDEST / "apivideo.h"


def changed(*replacements, target="x86_64-linux-gnu"):
    """The facts of the header after changes to its text."""
    text = UNCHANGED.read_text()
    for old, new in replacements:
        assert text.count(old) == 1, f"{old} is there {text.count(old)} times"
        text = text.replace(old, new)
    path = OUT / "changed.h"
    path.write_text(text)
    return abi.facts_of(path, target)


def member(declaration):
    """A member as it stands in the header, so that it is the only place."""
    return f"\n  {declaration};\n"


# What stands over a reserve.
ZERO = "  /**\n   * Zero, for later versions.\n   */\n"


class Kept(unittest.TestCase):
    def test_the_header_and_the_library_keep_to_every_record(self):
        for record in abi.records_for(HEADER):
            broken = abi.breaches_anywhere(record, HEADER, LIBRARY)
            self.assertEqual(list(broken), [], record.name)

    def test_a_record_is_what_its_header_comes_to(self):
        for record in abi.records_for(HEADER):
            recorded = {
                fact: value for fact, value in abi.read(record).items() if fact[0] != "export"
            }
            self.assertEqual(recorded, abi.facts_of(record / "apivideo.h"), record.name)

    def test_structures_lie_as_recorded_on_every_platform(self):
        for record in abi.records_for(HEADER):
            for target, table in abi.TABLES.items():
                recorded = abi.layout_of(abi.read(record, table))
                there = abi.layout_of(abi.facts_of(record / "apivideo.h", target))
                self.assertEqual(recorded, there, f"{record.name}, {target}")

    def test_the_c_test_that_runs_on_every_platform_has_these_figures(self):
        """And all of them: tests/c/layout.c holds a platform's own compiler to them."""
        rows = re.findall(r"MEMBER\((\w+), (\w+), (\d+), (\d+), (\d+), (\d+)\)", LAYOUT.read_text())
        wide = {f"{struct}.{name}": f"{at} {size}" for struct, name, at, size, _, _ in rows}
        narrow = {f"{struct}.{name}": f"{at} {size}" for struct, name, _, _, at, size in rows}
        for target, figures in ("x86_64-linux-gnu", wide), ("i686-linux-gnu", narrow):
            members = {
                name: value.rsplit(" ", value.count(" ") - 1)[0]
                for (kind, name), value in abi.facts_of(HEADER, target).items()
                if kind == "member"
            }
            self.assertEqual(figures, members, target)

    def test_a_record_names_what_a_program_can_call(self):
        for record in abi.records_for(HEADER):
            facts = abi.read(record)
            functions = {name for kind, name in facts if kind == "function"}
            exports = {name for kind, name in facts if kind == "export"}
            self.assertTrue(len(functions) > 40 and functions == exports, record.name)


class Refused(unittest.TestCase):
    before = abi.facts_of(UNCHANGED)

    def assert_refused(self, complaint, *replacements):
        breaches = list(abi.breaches(self.before, changed(*replacements)))
        self.assertTrue(any(complaint in it for it in breaches), breaches)

    def test_a_function_removed(self):
        self.assert_refused(
            "function av_library_version is gone", ("const char *av_library_version(void);", "")
        )

    def test_a_function_that_the_library_does_not_export(self):
        recorded = abi.read(OLDEST)
        now = {fact: recorded[fact] for fact in recorded if fact != ("export", "av_token_free")}
        self.assertEqual(list(abi.breaches(recorded, now)), ["export av_token_free is gone"])

    def test_a_parameter_of_another_type(self):
        self.assert_refused(
            "function av_tokens_create was",
            ("                           uint32_t ttl_seconds,", "uint64_t ttl_seconds,"),
        )

    def test_a_parameter_added(self):
        self.assert_refused(
            "function av_string_free was",
            ("av_string_free(char *string)", "av_string_free(char *string, int flags)"),
        )

    def test_a_result_of_another_type(self):
        self.assert_refused(
            "function av_error_problem_count was",
            ("size_t av_error_problem_count", "uint32_t av_error_problem_count"),
        )

    def test_a_callback_of_another_type(self):
        self.assert_refused("type av_trace_fn was", ("int32_t level,\n", "int64_t level,\n"))

    def test_a_type_of_another_size(self):
        self.assert_refused(
            "type av_status was", ("typedef int32_t av_status;", "typedef int64_t av_status;")
        )

    def test_a_handle_opened(self):
        self.assert_refused(
            "opaque av_cancel is gone",
            ("typedef struct av_cancel ", "typedef struct av_cancel { int it; } "),
        )

    def test_a_constant_with_another_value(self):
        self.assert_refused(
            "constant AV_STATUS_TLS was 3, and is 4",
            ("#define AV_STATUS_TLS 3", "#define AV_STATUS_TLS 4"),
        )

    def test_a_constant_removed(self):
        self.assert_refused("constant AV_SORT_ASC is gone", ("#define AV_SORT_ASC 1", ""))

    def test_a_url_changed(self):
        self.assert_refused(
            "constant APIVIDEO_SANDBOX_URL was",
            ('"https://sandbox.api.video"', '"https://elsewhere.api.video"'),
        )

    def test_a_member_moved(self):
        self.assert_refused(
            "member av_client_config.trace_level was 112",
            (member("int32_t trace_level"), "\n"),
            (member("uint32_t flags"), "\n  uint32_t flags;\n  int32_t trace_level;\n"),
        )

    def test_a_member_of_another_type(self):
        self.assert_refused(
            "member av_tokens_list_params.sort_by was",
            (member("int32_t sort_by"), member("uint32_t sort_by")),
        )

    def test_a_member_renamed(self):
        self.assert_refused(
            "member av_client_config.ca_file is gone",
            (member("const char *ca_file"), member("const char *authorities")),
        )

    def test_an_input_struct_that_grows_in_the_middle(self):
        self.assert_refused(
            "member av_client_config.ca_path lies where there was no room for it",
            (member("const char *ca_file"), member("const char *ca_path;\n  const char *ca_file")),
        )

    def test_an_input_struct_that_shrinks(self):
        self.assert_refused(
            "member av_client_config.flags is gone", (member("uint32_t flags"), "\n")
        )

    def test_a_result_that_grows(self):
        self.assert_refused(
            "struct av_token had 72 bytes, and has 80",
            (member("int32_t ttl_seconds"), member("uint64_t more;\n  int32_t ttl_seconds")),
        )

    def test_a_result_of_the_same_size_whose_members_move(self):
        self.assert_refused(
            "member av_token_page.count was 48",
            (member("const struct av_token *const *items"), "\n"),
            (member("size_t count"), member("size_t count;\n  const av_token *const *items")),
        )

    def test_a_reserve_that_takes_the_place_of_a_member(self):
        self.assert_refused(
            "lies where there was no room for it",
            (member("int32_t ttl_seconds"), member("uint32_t reserved_ttl")),
        )

    def test_a_member_that_only_a_larger_reserve_has_room_for(self):
        change = (member("const void *reserved_pointer"), member("uint64_t uploads"))
        self.assertEqual(list(abi.breaches(self.before, changed(change))), [])
        for target in "i686-linux-gnu", "armv7-linux-gnueabihf":
            broken = abi.breaches(abi.read(OLDEST, "abi-32.txt"), changed(change, target=target))
            self.assertIn("lies where there was no room for it", " ".join(broken), target)


class Accepted(unittest.TestCase):
    def assert_accepted(self, wanted, *replacements):
        now = changed(*replacements)
        self.assertEqual(list(abi.breaches(Refused.before, now)), [])
        if wanted:
            self.assertIn(wanted, now)

    def test_nothing_changed(self):
        self.assert_accepted(None)

    def test_a_new_function(self):
        self.assert_accepted(
            ("function", "av_tokens_purge"),
            ("void av_string_free", "int32_t av_tokens_purge(void);\nvoid av_string_free"),
        )

    def test_a_new_constant(self):
        self.assert_accepted(
            ("constant", "AV_STATUS_QUOTA"),
            ("#define AV_STATUS_OK 0", "#define AV_STATUS_OK 0\n#define AV_STATUS_QUOTA 14"),
        )

    def test_a_new_struct(self):
        self.assert_accepted(
            ("struct", "av_video"),
            (
                "typedef int32_t av_status;",
                "typedef int32_t av_status;\ntypedef struct av_video { int64_t size; } av_video;",
            ),
        )

    def test_an_input_struct_that_grows_at_its_end(self):
        self.assert_accepted(
            ("member", "av_client_config.ca_path"),
            (member("uint32_t flags"), member("uint32_t flags;\n  const char *ca_path")),
        )

    def test_a_result_that_uses_some_of_its_reserve(self):
        self.assert_accepted(
            ("member", "av_token.uploads"),
            (
                member("int64_t expires_at") + ZERO + member("uint64_t reserved[4]").lstrip("\n"),
                member("int64_t expires_at;\n  uint64_t uploads;\n  uint64_t reserved[3]"),
            ),
        )

    def test_a_new_version(self):
        self.assert_accepted(None, ('#define APIVIDEO_VERSION "', '#define APIVIDEO_VERSION "9'))


class Versions(unittest.TestCase):
    def test_before_1_0_every_minor_version_has_an_abi_of_its_own_and_then_none(self):
        self.assertTrue(abi.same_abi((0, 1, 0), (0, 1, 7)))
        self.assertFalse(abi.same_abi((0, 1, 0), (0, 2, 0)))
        self.assertFalse(abi.same_abi((0, 1, 0), (1, 1, 0)))
        self.assertTrue(abi.same_abi((1, 0, 0), (1, 9, 3)))

    def test_an_abi_without_a_record_is_refused(self):
        path = OUT / "unrecorded.h"
        path.write_text('#define APIVIDEO_VERSION "0.999.0"\n')
        with self.assertRaisesRegex(SystemExit, "make abi-record"):
            abi.records_for(path)

    def test_a_record_is_never_overwritten(self):
        with self.assertRaisesRegex(SystemExit, "is recorded"):
            abi.record(OLDEST / "apivideo.h", LIBRARY)


class OldProgram(unittest.TestCase):
    """A program built with the oldest recorded header."""

    program = OUT / "program"

    @classmethod
    def setUpClass(cls):
        warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
        linked = [f"-L{LIB}", "-lapivideo", f"-Wl,-rpath,{LIB}"]
        source = HERE / "program.c"
        abi.run("cc", "-std=c11", *warnings, f"-I{OLDEST}", "-o", cls.program, source, *linked)

    def test_runs_with_the_newest_library(self):
        with_services = HERE.parent / "languages/with_local_api.sh"
        said = abi.run("sh", with_services, os.environ["LOCAL_API"], self.program)
        self.assertRegex(said, r"^\d+ passed, 0 failed\n$")

    def test_uses_every_function_that_there_was(self):
        used = {line.split()[-1] for line in abi.run("nm", "-u", self.program).splitlines()}
        there = {name for kind, name in abi.read(OLDEST) if kind == "export"}
        self.assertEqual(there - used, set())

    def test_tests_of_the_library_pass_with_that_header_too(self):
        """Those that use nothing newer."""
        settings = [f"LIB={LIB}", f"OUT={OUT}/c", "VARIANTS=c11-shared", "VALGRIND="]
        said = abi.run(
            *("make", "--no-print-directory", "-C", HERE.parent / "c", *settings),
            *("ONLY=smoke tokens iterate errors", f"INCLUDES=-I{OLDEST} -I."),
        )
        self.assertRegex(said, r"\n\d{4,} passed, 0 failed\n$")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    unittest.main()
