#!/usr/bin/env python3
"""docs/PROOF.md names commands that there are, and its figures come from a run's output. Run by
`make proof-supply`."""

import re
import subprocess
import unittest

import summary

PAGE = summary.PAGE.read_text()
TABLE = """| promised | tried | last figure | command |
| --- | --- | --- | --- |
| one | so | <!--a-->old<br><!--b, c-->- | `make proof-a` (or `make b`) |
| two | so | | `make c d` |
"""


def targets():
    """What make can make here, by its own account."""
    command = ["make", "--print-data-base", "--question", "--no-builtin-rules", ":"]
    root = summary.PAGE.parents[1]
    said = subprocess.run(command, cwd=root, capture_output=True, text=True).stdout
    return set(re.findall(r"(?m)^([a-z][a-z-]*):", said))


class Page(unittest.TestCase):
    def test_every_command_is_a_target(self):
        named = set(summary.commands(PAGE))
        self.assertTrue({"proof-supply", "test-network"} <= named, named)
        self.assertEqual(named - targets(), set())

    def test_every_row_has_a_command(self):
        rows = [line for line in PAGE.splitlines() if line.startswith("|")][2:]
        for row in rows:
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            self.assertTrue(len(cells) == 4 and cells[3].startswith("`make "), row)

    def test_each_figure_has_one_place(self):
        self.assertEqual(len(summary.places(PAGE)), len(set(summary.places(PAGE))))


class Figures(unittest.TestCase):
    def test_are_the_last_of_a_log(self):
        log = "make: x\nproof: a: 1\nproof: b, c: 5 of 7: good\n xproof: d: 1\nproof: a: 2\n"
        self.assertEqual(summary.figures(log), {"a": "2", "b, c": "5 of 7: good"})

    def test_of_nothing_are_refused(self):
        with self.assertRaises(SystemExit):
            summary.figures("proof: 5 calls\nproof: a: 1\n")

    def test_are_put_where_they_belong(self):
        page = summary.with_figures(TABLE, {"a": "3 | 4", "b, c": "five of 7", "d": "x"})
        self.assertIn("| <!--a-->a: 3 / 4<br><!--b, c-->five of 7 | `make proof-a`", page)

    def test_that_a_run_does_not_have_stay(self):
        page = summary.with_figures(TABLE, {"b, c": "8 calls"})
        self.assertIn("| <!--a-->old<br><!--b, c-->8 calls |", page)

    def test_of_one_kind_share_a_place(self):
        page = summary.with_figures("| x | <!--runs of *-->- | y |", {"runs of a": "1", "runs of b": "2"})
        self.assertEqual(page, "| x | <!--runs of *-->runs of: a 1, b 2 | y |")

    def test_may_be_put_there_again(self):
        once = summary.with_figures(TABLE, {"a": "1"})
        self.assertEqual(summary.with_figures(once, {"a": "1"}), once)

    def test_belong_to_commands(self):
        self.assertEqual(summary.commands(TABLE), ["proof-a", "b", "c", "d"])


if __name__ == "__main__":
    unittest.main()
