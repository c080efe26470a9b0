"""That the gate on counts fails when it has to, and only then."""

import contextlib
import io
import unittest

import counts

MADE_WITH = {"compiler": "rustc 1.95.0 (59807616e 2026-04-14)", "C library": "glibc 2.36"}
BASELINE = {
    "user instructions per GET with 5 response headers": 30000.0,
    "system calls per GET": 3.0,
    "allocations per GET": 30.0,
    "bytes of libapivideo.so": 1700000.0,
}


def failures(now, made_with=None):
    """How many figures fail, and what is printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        failed = counts.compare(made_with or MADE_WITH, now, MADE_WITH, BASELINE)
    return failed, printed.getvalue()


class Gate(unittest.TestCase):
    def test_the_same_passes(self):
        self.assertEqual(failures(BASELINE)[0], 0)

    def test_every_figure_may_be_5_percent_worse_but_not_10(self):
        for name in BASELINE:
            with self.subTest(name):
                self.assertEqual(failures(BASELINE | {name: BASELINE[name] * 1.049})[0], 0)
                self.assertEqual(failures(BASELINE | {name: BASELINE[name] * 1.1})[0], 1)

    def test_what_varies_by_itself_is_held_by_its_target_alone(self):
        name = "system calls per uploaded MiB"
        before = {name: 4.0}
        for now, expected in ((2.0, "as before"), (10.0, "as before"), (10.1, "FAILED: worse")):
            self.assertEqual(list(counts.verdicts({name: now}, before, True)), [(name, expected)])

    def test_one_system_call_more_fails(self):
        self.assertEqual(failures(BASELINE | {"system calls per GET": 4.0})[0], 1)

    def test_a_figure_beyond_its_target_fails_within_the_margin_too(self):
        name = "user instructions per GET with 5 response headers"
        near = BASELINE | {name: 32900.0}
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(counts.compare(MADE_WITH, near | {name: 33000.0}, MADE_WITH, near), 0)
            self.assertEqual(counts.compare(MADE_WITH, near | {name: 33001.0}, MADE_WITH, near), 1)

    def test_better_passes_and_is_to_be_recorded(self):
        failed, printed = failures({name: figure * 0.9 for name, figure in BASELINE.items()})
        self.assertEqual(failed, 0)
        self.assertEqual(printed.count("make record-counts"), len(BASELINE))

    def test_a_figure_that_is_missing_fails(self):
        self.assertEqual(failures({"system calls per GET": 3.0})[0], len(BASELINE) - 1)

    def test_with_another_compiler_only_what_it_decides_is_not_judged_and_said_so(self):
        worse = {name: figure * 2 for name, figure in BASELINE.items()}
        failed, printed = failures(worse, MADE_WITH | {"compiler": "rustc 1.96.0"})
        self.assertEqual(failed, 2)
        self.assertIn("rustc 1.96.0, while the baseline was recorded with rustc 1.95.0", printed)
        self.assertEqual(printed.count("NOT JUDGED"), 2)
        self.assertIn("2 not judged", printed)

    def test_what_is_written_is_read_again(self):
        self.assertEqual(counts.read(counts.write(MADE_WITH, BASELINE)), (MADE_WITH, BASELINE))


if __name__ == "__main__":
    unittest.main()
