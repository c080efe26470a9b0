#!/usr/bin/env python3
"""The check of what is not covered checks: against a small source, and the list as it is committed
against src/."""

import tempfile
import unittest
from pathlib import Path

import coverage

HERE = Path(__file__).resolve().parent
SOURCE = """fn one() {
    if rare() {
        handle();
    }
}

fn two<T>() -> bool {
    never()
}
"""
# As lcov has it: all of two() and one line of one() never ran.
COUNTS = {1: 5, 2: 5, 3: 0, 4: 5, 5: 5, 7: 0, 8: 0, 9: 0}
LIST = """# a comment
a.rs: handle();
  rare() takes a flood,
  and floods are rare
a.rs: fn two
  never() is never.
"""


def complaints(text, counts=COUNTS):
    with tempfile.TemporaryDirectory() as sources:
        Path(sources, "a.rs").write_text(SOURCE)
        lines = {("a.rs", number): count for number, count in counts.items()}
        return list(coverage.complaints(lines, Path(sources), coverage.entries(text)))


class Listed(unittest.TestCase):
    def test_what_is_listed_with_a_reason_is_accepted(self):
        self.assertEqual(complaints(LIST), [])

    def test_a_reason_may_be_of_several_lines(self):
        reason = coverage.entries(LIST)[0].reason
        self.assertEqual(reason, "rare() takes a flood, and floods are rare")

    def test_a_line_that_is_not_listed_is_refused(self):
        self.assertEqual(complaints("a.rs: fn two\n  x\n"), ["src/a.rs:3: no test runs: handle();"])

    def test_a_function_that_is_not_listed_is_refused(self):
        self.assertEqual(len(complaints("a.rs: handle();\n  x\n")), 2)

    def test_a_closing_bracket_goes_with_the_line_before_it(self):
        self.assertEqual(complaints(LIST, {**COUNTS, 4: 0}), [])
        self.assertEqual(len(complaints(LIST, {**COUNTS, 3: 1, 4: 0})), 2)

    def test_no_reason_is_refused(self):
        said = complaints(LIST.replace("  never() is never.\n", ""))
        self.assertEqual(said, ["not_covered: no reason: a.rs: fn two"])

    def test_what_is_covered_by_now_is_refused(self):
        said = complaints(LIST, {**COUNTS, 3: 1})
        self.assertEqual(said, ["not_covered: is covered now, take it off: a.rs: handle();"])

    def test_what_is_covered_at_times_is_accepted_both_ways(self):
        at_times = LIST.replace("a.rs: handle", "~ a.rs: handle")
        self.assertEqual(complaints(at_times), [])
        self.assertEqual(complaints(at_times, {**COUNTS, 3: 1}), [])

    def test_what_is_not_there_is_refused(self):
        for head in ["a.rs: gone();", "a.rs: fn gone", "b.rs: handle();"]:
            said = complaints(LIST + head + "\n  x\n")
            self.assertEqual(said, [f"not_covered: there is no such line: {head}"])


class Counted(unittest.TestCase):
    def test_lines_are_read_from_a_tracefile(self):
        text = "SF:/x/a.rs\nDA:1,5\nDA:3,0\nend_of_record\nSF:/x/b.rs\nDA:1,2\n"
        expected = {("/x/a.rs", 1): 5, ("/x/a.rs", 3): 0, ("/x/b.rs", 1): 2}
        self.assertEqual(coverage.lines_of(text), expected)

    def test_what_one_run_covers_is_covered_and_what_tests_alone_have_does_not_count(self):
        library, tests = {("a", 1): 0, ("a", 2): 3}, {("a", 1): 1, ("a", 9): 7}
        self.assertEqual(coverage.together([library, tests]), {("a", 1): 1, ("a", 2): 3})


class Committed(unittest.TestCase):
    def test_every_entry_is_of_a_line_in_src_and_has_a_reason(self):
        sources = HERE.parents[2] / "src"
        for entry in coverage.entries((HERE / "not_covered").read_text()):
            lines = (sources / entry.file).read_text().splitlines()
            self.assertTrue(entry.lines(dict(enumerate(lines, 1))), entry.head)
            self.assertTrue(len(entry.reason) > 5, entry.head)


if __name__ == "__main__":
    unittest.main()
